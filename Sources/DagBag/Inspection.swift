/// What `dagrun doctor` asks about compiling.
extension DagBag {
  /// What the Swift compiler calls itself.
  ///
  /// - Throws: when there is none, with what to do.
  package func compilerVersion() throws(DagBagError) -> String {
    try Toolchain.find(cacheFolder: options.cacheFolder).version
  }

  /// The content hash of the authoring library that DAG files are compiled against.
  ///
  /// - Throws: when it is not found, with where it was looked for.
  package func libraryHash() throws(DagBagError) -> String {
    try AuthoringLibrary.find(executable: options.executable, cacheFolder: options.cacheFolder).hash
  }
}
