import Foundation
import Processes
import Testing

/// A library that kills the process that loads it, or lets a call fail, at a step that it takes on the disk below a
/// path.
final class DiskLibrary {
  private let folder: String
  private var path: String { folder + "/disk.so" }

  init() throws {
    // A blank in LD_PRELOAD ends a name, and the projects of tests have one.
    folder = FileManager.default.temporaryDirectory.path + "/disk-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try Self.source.write(toFile: folder + "/disk.c", atomically: true, encoding: .utf8)
    let script = "cc -shared -fPIC -O1 -o \"$0\" \"$1\" -ldl || clang -shared -fPIC -O1 -o \"$0\" \"$1\" -ldl"
    let ended = try Spawn("sh", ["-c", script, path, folder + "/disk.c"]).run(timeout: 60)
    try #require(ended.status.isSuccess, "\(ended.text(2))")
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  /// Runs a command, each of whose processes meets the fault.
  ///
  /// - Parameters:
  ///   - fault: `before`, `torn` or `after`: the process is killed then. `EIO`, `ENOSPC`: the call fails with that.
  ///   - step: which one, from 1.
  ///   - path: what the names of the files begin with.
  func run(
    _ project: Project, _ fault: String, at step: Int, below path: String, _ arguments: String...
  ) throws -> Project.Ended {
    try with(project, fault, at: step, below: path) { try project.run(arguments) }
  }

  /// - Parameters:
  ///   - lasts: each step from `step` on meets the fault.
  ///   - condition: a file; only while it exists are there faults.
  func with<Result>(
    _ project: Project, _ fault: String, at step: Int, lasts: Bool = false, below path: String,
    while condition: String? = nil, _ body: () throws -> Result
  ) rethrows -> Result {
    let usual = project.environment
    defer { project.environment = usual }
    project.environment["LD_PRELOAD"] = self.path
    project.environment["DISK_FAULT"] = fault
    project.environment["DISK_STEP"] = "\(step)"
    project.environment["DISK_BELOW"] = path
    project.environment["DISK_LASTS"] = lasts ? "1" : nil
    project.environment["DISK_WHILE"] = condition
    return try body()
  }

  private static let source = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <signal.h>
    #include <stdarg.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <unistd.h>

    static long step;

    static int is_below(const char *path) {
      const char *under = getenv("DISK_BELOW");
      return under && path && strncmp(path, under, strlen(under)) == 0;
    }
    static int is_file_below(int fd) {
      char name[64], path[4096];
      snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
      ssize_t length = readlink(name, path, sizeof path - 1);
      if (length < 0) return 0;
      path[length] = 0;
      return is_below(path);
    }
    static int is_moment(const char *moment) { return strcmp(getenv("DISK_FAULT"), moment) == 0; }
    static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }
    static int is_it(int counts) {
      const char *condition = getenv("DISK_WHILE");
      if (!counts || (condition && access(condition, F_OK) != 0)) return 0;
      long wanted = atol(getenv("DISK_STEP"));
      long now = __atomic_add_fetch(&step, 1, __ATOMIC_SEQ_CST);
      return getenv("DISK_LASTS") ? now >= wanted : now == wanted;
    }
    static int is_failure(void) {
      errno = is_moment("EIO") ? EIO : is_moment("ENOSPC") ? ENOSPC : 0;
      return errno != 0;
    }

    #define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
    // A call that cannot be torn is killed after it then.
    #define STEP(counts, call) \
      int now = is_it(counts); \
      if (now && is_failure()) return -1; \
      if (now && is_moment("before")) die(); \
      __typeof__(call) result = call; \
      if (now) die(); \
      return result;

    ssize_t write(int fd, const void *bytes, size_t count) {
      REAL(write);
      int now = is_it(is_file_below(fd));
      if (now && is_failure()) return -1;
      if (now && is_moment("before")) die();
      if (now && is_moment("torn")) count /= 2;
      ssize_t result = real(fd, bytes, count);
      if (now) die();
      return result;
    }
    ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
      REAL(pwrite);
      int now = is_it(is_file_below(fd));
      if (now && is_failure()) return -1;
      if (now && is_moment("before")) die();
      if (now && is_moment("torn")) count /= 2;
      ssize_t result = real(fd, bytes, count, at);
      if (now) die();
      return result;
    }
    ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t at) { return pwrite(fd, bytes, count, at); }
    int fsync(int fd) { REAL(fsync); STEP(is_file_below(fd), real(fd)) }
    int fdatasync(int fd) { REAL(fdatasync); STEP(is_file_below(fd), real(fd)) }
    int ftruncate(int fd, off_t size) { REAL(ftruncate); STEP(is_file_below(fd), real(fd, size)) }
    int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); STEP(is_file_below(fd), real(fd, size)) }
    int fchmod(int fd, mode_t mode) { REAL(fchmod); STEP(is_file_below(fd), real(fd, mode)) }
    int rename(const char *from, const char *to) { REAL(rename); STEP(is_below(to), real(from, to)) }
    int unlink(const char *path) { REAL(unlink); STEP(is_below(path), real(path)) }
    int mkdir(const char *path, mode_t mode) { REAL(mkdir); STEP(is_below(path), real(path, mode)) }
    static int is_made(const char *path, int flags) { return (flags & O_CREAT) && is_below(path); }
    int open(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); mode_t mode = va_arg(list, int); va_end(list);
      REAL(open); STEP(is_made(path, flags), real(path, flags, mode))
    }
    int open64(const char *path, int flags, ...) {
      va_list list; va_start(list, flags); mode_t mode = va_arg(list, int); va_end(list);
      REAL(open64); STEP(is_made(path, flags), real(path, flags, mode))
    }
    """#
}
