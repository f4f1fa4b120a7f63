import Foundation
import Testing

@testable import CloudEmulator

@Suite(.enabled(if: canRunMachines, needsMachines))
struct DockerTests {
  /// Each line of the script's output file.
  private func lines(_ script: String, missingImages: Set<String> = []) async throws -> [String] {
    let machine = try TestMachine(script: "{\n\(script)\n} > lines 2> errors", missingImages: missingImages)
    await machine.end()
    return (machine.output("lines") ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
  }

  @Test func `statuses are docker's, and tell what never started`() async throws {
    let state = "docker inspect --format '{{.State.ExitCode}} {{.State.Running}} {{.State.StartedAt}}'"
    let lines = try await lines(
      """
      docker run --name ok ubuntu true; echo $?
      docker run --name own ubuntu sh -c 'exit 127'; echo $?; \(state) own | cut -c 1-14
      docker run --name missing ubuntu no-such-program; echo $?; \(state) missing
      docker inspect --format '{{.State.Error}}' missing | grep -o 'executable file not found in $PATH'
      docker run --name forbidden ubuntu /etc/passwd; echo $?; \(state) forbidden
      docker run --name killed ubuntu sh -c 'sleep 100' & until docker stop -t 0 killed; do :; done; wait $!; echo $?
      docker run --name ok ubuntu true; echo $?
      docker run --no-such-flag ubuntu true; echo $?
      docker run does-not-exist/x:1 true; echo $?
      docker pull registry/gone:2; echo $?
      docker pull ubuntu:24.04 > /dev/null; echo $?
      docker rm own > /dev/null; echo $?; docker inspect --format '{{.State.Pid}}' own; echo $?
      docker rm --force own; echo $?; docker rm own; echo $?
      docker version > /dev/null; echo $?; echo token | docker login --username u --password-stdin https://r; echo $?
      docker image inspect --format '{{range .Config.Cmd}}{{printf "%s\\x00" .}}{{end}}.' ubuntu; docker ps; echo $?
      """, missingImages: ["registry/gone"])
    #expect(
      lines == [
        "0", "127", "127 false 2026".replacingOccurrences(of: "2026", with: year), "127",
        "127 false 0001-01-01T00:00:00Z",
        "executable file not found in $PATH", "126", "126 false 0001-01-01T00:00:00Z", "killed", "137", "125", "125",
        "125", "1", "0", "0", "1", "0", "1", "0", "0", ".", "1",
      ])
  }

  private var year: String { String(Calendar(identifier: .gregorian).component(.year, from: Date())) }

  @Test func `docker's words are on standard error`() async throws {
    let machine = try TestMachine(
      script: """
        docker run does-not-exist/x:1 true 2> pull
        docker run --name a ubuntu true; docker run --name a ubuntu true 2> conflict
        docker run ubuntu 2> command
        """)
    await machine.end()
    #expect(machine.output("pull")?.contains("pull access denied for does-not-exist/x") == true)
    #expect(machine.output("conflict")?.contains("The container name \"/a\" is already in use by container") == true)
    #expect(machine.output("command")?.contains("no command specified") == true)
  }

  @Test func `a container has the environment it was given, and docker's, and no other`() async throws {
    let lines = try await lines(
      """
      export INHERITED=yes TAKEN=$'two\\nlines'
      docker run --env A=1 --env A='x=y z' --env TAKEN --env GONE ubuntu env -0 | sort -z | tr '\\0' '|' | tr '\\n' '_'
      """)
    let names = lines[0].split(separator: "|").map(String.init).filter { !$0.hasPrefix("GCE_METADATA_HOST=") }
    #expect(
      names == [
        "A=x=y z", "HOME=/root", "HOSTNAME=job-1-x2y4",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TAKEN=two_lines",
      ])
  }

  @Test func `arguments and files reach a container as they are`() async throws {
    let machine = try TestMachine(
      script: """
        mkdir -p in 'a b'; echo inside > in/file; echo one > single
        docker run --volume /var/out/in:/data --volume '/var/out/a b:/a b' --mount type=bind,source=/var/out/single,target=/etc/single \\
          --volume /var/out/new:/deep/er/new --entrypoint /bin/sh ubuntu -c '
            cat /data/file /etc/single; echo out > "/a b/out"; echo new > /deep/er/new/f; pwd
            printf "%s|" "$@"' sh $'it\\'s\\n' '$HOME *' '' ünï 'tab\there' > inside 2> /dev/null
        docker run ubuntu sh -c 'df -k /dev/shm | tail -1' | awk '{print $2}' > shm
        docker run --shm-size 1gb ubuntu sh -c 'df -k /dev/shm | tail -1' | awk '{print $2}' >> shm
        docker run ubuntu sh -c 'echo $$' > pid
        """)
    await machine.end()
    #expect(machine.output("inside") == "inside\none\n/\nit's\n|$HOME *||ünï|tab\there|")
    #expect(machine.output("a b/out") == "out")
    #expect(machine.output("new/f") == "new")
    #expect(machine.output("shm") == "65536\n1048576")
    #expect(machine.output("pid") == "1")
  }

  @Test func `a signal to docker run is the container's`() async throws {
    let machine = try TestMachine(
      script: """
        mkfifo up
        docker run --name c --volume /var/out:/out ubuntu sh -c 'trap "echo told; exit 7" TERM; echo > /out/up; while :; do sleep 0.05; done' > said &
        read < up; kill -TERM $!; wait $!; echo $? > status
        docker run --name d --volume /var/out:/out ubuntu sh -c 'echo > /out/up; exec sleep 100' &
        read < up; docker stop -t 0 d; docker wait d > waited; docker inspect --format '{{.State.Running}}' d >> waited
        """)
    await machine.end()
    #expect(machine.output("said") == "told")
    #expect(machine.output("status") == "7")
    #expect(machine.output("waited") == "137\nfalse")
  }

  @Test func `all output arrives, in two streams, whatever its size`() async throws {
    let machine = try TestMachine(
      script: """
        docker pull ubuntu; docker run --name c ubuntu sh -c 'echo one; echo two >&2; echo three' > out 2> err
        head -c 5000000 /dev/zero > zeros; docker run --volume /var/out:/o ubuntu cat /o/zeros | cmp - zeros && echo same > big
        docker run ubuntu sh -c 'head -c 5000000 /dev/zero; echo end >&2' 2> gone | head -c 1 > first
        """)
    await machine.end()
    #expect(machine.output("out") == "one\nthree")
    #expect(machine.output("err") == "two")
    #expect(machine.output("big") == "same")
    #expect(machine.output("gone") == "end")
  }

  @Test func `a container of an earlier boot is still known, and has ended`() async throws {
    let folder = TestFolder()
    try await TestMachine(
      script:
        """
        docker run --name old ubuntu sh -c 'exit 5'; mkfifo up
        docker run --name ran --volume /var/out:/out ubuntu sh -c 'trap "exit 6" TERM; echo > /out/up; while :; do sleep 0.05; done' &
        read < up
        """,
      folder: folder
    ).end()
    let again = try TestMachine(
      script: """
        docker run --name old ubuntu true; echo $? > conflict
        for name in old ran; do docker inspect --format '{{.State.Running}} {{.State.ExitCode}}' $name; done > states
        docker rm --force old; docker run --name old ubuntu true; echo $? > again
        """, folder: folder)
    await again.end()
    #expect(again.output("conflict") == "125")
    #expect(again.output("states") == "false 5\nfalse 6")
    #expect(again.output("again") == "0")
  }
}
