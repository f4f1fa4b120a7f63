import Foundation
import Processes
import Testing

/// A home is made whole or not at all: a process that makes one is killed before, during and after each step it takes on
/// the disk, all of them, and every command works afterwards.
@Suite struct `A new home` {
  @Test(.timeLimit(.minutes(10)), arguments: ["before", "torn", "after"])
  func `is made whole or not at all, wherever its maker is killed`(moment: String) throws {
    let project = try Project(["once": "import Dagrun\nDAG(\"once\") { EmptyOperator(\"x\") }\n"])
    // A blank in LD_PRELOAD ends a name.
    let folder = NSTemporaryDirectory() + "/killing-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let library = try KillingLibrary(in: folder)
    // Compiled once, for all the homes.
    #expect(try project.run("--home", project.path + "/first", "trigger", "once").code == 0)

    var point = 0
    while true {
      point += 1
      let home = "\(project.path)/homes/\(point)"
      try FileManager.default.createDirectory(atPath: project.path + "/homes", withIntermediateDirectories: true)
      project.environment["LD_PRELOAD"] = library.path
      project.environment["KILL_UNDER"] = home
      project.environment["KILL_AT"] = "\(point)"
      project.environment["KILL_WHEN"] = moment
      let killed = try project.run("--home", home, "variables", "set", "a", "b")
      for name in ["LD_PRELOAD", "KILL_UNDER", "KILL_AT", "KILL_WHEN"] { project.environment[name] = nil }
      guard killed.code == 128 + Int(SIGKILL) else {
        #expect(killed.code == 0, "\(killed)")
        break
      }
      let here = "killed \(moment) step \(point)"
      for command in [["variables", "list"], ["dags", "list-runs", "once"], ["pools", "list"]] {
        let ended = try project.run(["--home", home] + command)
        #expect([0, 3].contains(ended.code) && !ended.errors.contains("dagrun.db"), "\(here): \(command) \(ended)")
      }
      // Where there is a database, it has all that one has.
      let checked = try project.run("--home", home, "db", "check")
      #expect([0, 3].contains(checked.code), "\(here): \(checked)")
      if point % 8 == 1 {
        if FileManager.default.fileExists(atPath: home) {
          try? FileManager.default.removeItem(atPath: home + "/cache")
          try FileManager.default.copyItem(atPath: project.path + "/first/cache", toPath: home + "/cache")
        }
        let ended = try project.run("--home", home, "trigger", "once", "-r", "once")
        #expect(ended.code == 0, "\(here): \(ended)")
      }
      #expect(try project.run("--home", home, "variables", "set", "c", "d").code == 0, "\(here)")
      let names = try FileManager.default.contentsOfDirectory(atPath: home).filter { $0.hasPrefix("dagrun.db.") }
      #expect(names.isEmpty, "\(here) left \(names)")
      try? FileManager.default.removeItem(atPath: home)
    }
    #expect(point > 10, "only \(point) steps were seen")
  }
}

/// Kills the process that loads it at a step that it takes on the disk below a folder.
struct KillingLibrary {
  let path: String

  init(in folder: String) throws {
    path = folder + "/killing.so"
    try Self.source.write(toFile: folder + "/killing.c", atomically: true, encoding: .utf8)
    let script = "cc -shared -fPIC -O1 -o \"$0\" \"$1\" -ldl || clang -shared -fPIC -O1 -o \"$0\" \"$1\" -ldl"
    let ended = try Spawn("sh", ["-c", script, path, folder + "/killing.c"]).run(timeout: 60)
    try #require(ended.status.isSuccess, "\(ended.text(2))")
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
      const char *under = getenv("KILL_UNDER");
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
    static int is_moment(const char *moment) { return strcmp(getenv("KILL_WHEN"), moment) == 0; }
    static void die(void) { kill(getpid(), SIGKILL); for (;;) pause(); }
    static int is_it(int counts) {
      return counts && __atomic_add_fetch(&step, 1, __ATOMIC_SEQ_CST) == atol(getenv("KILL_AT"));
    }

    #define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
    // A call that cannot be torn is killed after it then.
    #define STEP(counts, call) \
      int now = is_it(counts); \
      if (now && is_moment("before")) die(); \
      __typeof__(call) result = call; \
      if (now) die(); \
      return result;

    ssize_t write(int fd, const void *bytes, size_t count) {
      REAL(write);
      int now = is_it(is_file_below(fd));
      if (now && is_moment("before")) die();
      if (now && is_moment("torn")) count /= 2;
      ssize_t result = real(fd, bytes, count);
      if (now) die();
      return result;
    }
    ssize_t pwrite(int fd, const void *bytes, size_t count, off_t at) {
      REAL(pwrite);
      int now = is_it(is_file_below(fd));
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
