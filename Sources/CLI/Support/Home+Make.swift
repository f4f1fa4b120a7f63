import Engine
import Processes

extension Home {
  /// Makes the folder, for its owner only, where it is not there.
  func make() throws {
    do {
      try makeFolders(path, mode: 0o700)
    } catch {
      throw Complaint(
        .unavailable, "cannot make the home \(path): \(error)",
        hint: "check the path and your rights, or name another home with --home or DAGRUN_HOME")
    }
  }
}
