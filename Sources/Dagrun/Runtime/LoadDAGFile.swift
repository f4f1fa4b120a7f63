#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Loads a compiled DAG file into this process and runs its top-level code, after which `Registry` knows its DAGs and
/// their tasks. The file stays loaded. Must be called on the main thread, where top-level code belongs.
///
/// The library finds the authoring library's symbols in this executable, which is linked with `--export-dynamic`.
///
/// What is loaded runs with all rights of this user, so it must be this user's own file, or root's, which nobody else
/// may write. The file that is looked at is the file that is loaded, whatever happens to its name in between. In a
/// bundle it comes with the executable, and is trusted as that is.
package func loadDAGFile(library: String, entry: String) throws(LoadError) {
  guard let handle = dlopen(try trustedName(of: library), RTLD_NOW | RTLD_LOCAL) else {
    throw LoadError("cannot load \(library): \(dlerror().map { String(cString: $0) } ?? "unknown reason")")
  }
  guard let symbol = dlsym(handle, entry) else {
    throw LoadError("\(library) has no function \(entry): it was not compiled by this version of dagrun")
  }
  typealias Entry = @convention(c) (Int32, UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?) -> Int32
  _ = unsafeBitCast(symbol, to: Entry.self)(CommandLine.argc, CommandLine.unsafeArgv)
}

#if os(Linux)
  private func trustedName(of library: String) throws(LoadError) -> String {
    if isOfBundle(library) { return library }
    // Stays open: its number is the name by which the loader knows the file, and must not become another one's.
    let descriptor = open(library, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw LoadError("cannot load \(library): \(String(cString: strerror(errno)))") }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw LoadError("cannot load \(library): it is not a regular file")
    }
    guard status.st_uid == geteuid() || status.st_uid == 0, status.st_mode & 0o022 == 0 else {
      close(descriptor)
      throw LoadError(
        "will not load \(library): another user owns it, or may write it; remove it, and it is compiled again")
    }
    return "/proc/self/fd/\(descriptor)"
  }

  private func isOfBundle(_ library: String) -> Bool {
    guard let executable = realpath("/proc/self/exe", nil) else { return false }
    defer { free(executable) }
    let folder = String(cString: executable).split(separator: "/", omittingEmptySubsequences: false).dropLast()
    return library.hasPrefix(folder.joined(separator: "/") + "/bundle/") && !library.contains("/../")
  }
#else
  private func trustedName(of library: String) throws(LoadError) -> String { library }
#endif

package struct LoadError: Error, CustomStringConvertible, Hashable {
  package let description: String

  init(_ description: String) { self.description = description }
}
