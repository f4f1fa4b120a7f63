#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Loads a compiled DAG file into this process and runs its top-level code, after which `Registry` knows its DAGs and
/// their tasks. The file stays loaded. Must be called on the main thread, where top-level code belongs.
///
/// The library finds the authoring library's symbols in this executable, which is linked with `--export-dynamic`.
package func loadDAGFile(library: String, entry: String) throws(LoadError) {
  guard let handle = dlopen(library, RTLD_NOW | RTLD_LOCAL) else {
    throw LoadError("cannot load \(library): \(dlerror().map { String(cString: $0) } ?? "unknown reason")")
  }
  guard let symbol = dlsym(handle, entry) else {
    throw LoadError("\(library) has no function \(entry): it was not compiled by this version of dagrun")
  }
  typealias Entry = @convention(c) (Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32
  _ = unsafeBitCast(symbol, to: Entry.self)(CommandLine.argc, CommandLine.unsafeArgv)
}

package struct LoadError: Error, CustomStringConvertible, Hashable {
  package let description: String

  init(_ description: String) { self.description = description }
}
