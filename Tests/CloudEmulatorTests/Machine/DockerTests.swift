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
      docker inspect -f '{{.State.Error}}' missing | grep -o 'executable file not found in $PATH'
      docker run --name forbidden ubuntu /etc/passwd; echo $?; \(state) forbidden
      docker run --name killed ubuntu sh -c 'kill -9 $$; sleep 100' & until docker kill killed; do :; done; wait $!; echo $?
      docker run --name ok ubuntu true; echo $?
      docker run --no-such-flag ubuntu true; echo $?
      docker run does-not-exist/x:1 true; echo $?
      docker pull registry/gone:2; echo $?
      docker pull ubuntu:24.04 > /dev/null; echo $?
      docker rm ok own > /dev/null; echo $?; docker inspect own; echo $?
      docker rm -f ok; echo $?; docker rm ok; echo $?
      """, missingImages: ["registry/gone"])
    #expect(
      lines == [
        "0", "127", "127 false 2026".replacingOccurrences(of: "2026", with: year), "127",
        "127 false 0001-01-01T00:00:00Z",
        "executable file not found in $PATH", "126", "126 false 0001-01-01T00:00:00Z", "killed", "137", "125", "125",
        "125", "1", "0", "0", "[]", "1", "0", "1",
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
      export INHERITED=yes TAKEN=$'two\\nlines' ; printf 'FILED=a b\\n# no\\nTAKEN\\n' > file
      docker run --rm --env A='x=y z' --env TAKEN --env GONE --env-file file --hostname h ubuntu env -0 | sort -z | tr '\\0' '|' | tr '\\n' '_'
      """)
    let names = lines[0].split(separator: "|").map(String.init).filter { !$0.hasPrefix("GCE_METADATA_HOST=") }
    #expect(
      names == [
        "A=x=y z", "FILED=a b", "HOME=/root", "HOSTNAME=h",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TAKEN=two_lines",
      ])
  }

  @Test func `arguments and files reach a container as they are`() async throws {
    let machine = try TestMachine(
      script: """
        mkdir -p in 'a b'; echo inside > in/file; echo one > single
        docker run --rm -v /var/out/in:/data:ro -v '/var/out/a b:/a b' --mount type=bind,source=/var/out/single,target=/etc/single,readonly \\
          --volume /var/out/new:/deep/er/new --workdir /work/here --entrypoint /bin/sh ubuntu -c '
            cat /data/file /etc/single; touch /data/x && echo wrote; echo out > "/a b/out"; echo new > /deep/er/new/f; pwd
            printf "%s|" "$@"' sh $'it\\'s\\n' '$HOME *' '' ünï 'tab\there' > inside 2> /dev/null
        docker run --rm -v named:/v ubuntu sh -c 'echo kept > /v/f'; docker run --rm -v named:/v ubuntu cat /v/f > named
        docker run --rm ubuntu sh -c 'df -k /dev/shm | tail -1' | awk '{print $2}' > shm
        docker run --rm --shm-size 1g ubuntu sh -c 'df -k /dev/shm | tail -1' | awk '{print $2}' >> shm
        docker run --rm ubuntu sh -c 'echo $$' > pid
        """)
    await machine.end()
    #expect(machine.output("inside") == "inside\none\n/work/here\nit's\n|$HOME *||ünï|tab\there|")
    #expect(machine.output("a b/out") == "out")
    #expect(machine.output("new/f") == "new")
    #expect(machine.output("named") == "kept")
    #expect(machine.output("shm") == "65536\n1048576")
    #expect(machine.output("pid") == "1")
  }

  @Test func `a signal to docker run is the container's`() async throws {
    let machine = try TestMachine(
      script: """
        mkfifo up
        docker run --name c -v /var/out:/out ubuntu sh -c 'trap "echo told; exit 7" TERM; echo > /out/up; while :; do sleep 0.05; done' > said &
        read < up; kill -TERM $!; wait $!; echo $? > status
        docker run -d --name d -v /var/out:/out ubuntu sh -c 'echo > /out/up; exec sleep 100'
        read < up; docker stop -t 0 d; docker wait d > waited; docker inspect -f '{{.State.Running}}' d >> waited
        """)
    await machine.end()
    #expect(machine.output("said") == "told")
    #expect(machine.output("status") == "7")
    #expect(machine.output("waited") == "137\nfalse")
  }

  @Test func `logs are kept, also of a container that is not looked at`() async throws {
    let machine = try TestMachine(
      script: """
        docker run --name c ubuntu sh -c 'echo one; echo two >&2; echo three' > /dev/null 2>&1
        docker logs c > out 2> err
        docker run -d --name d ubuntu sh -c 'for i in 1 2 3; do echo $i; sleep 0.05; done'; docker logs -f d > followed; docker logs --tail 1 d > tail
        docker run --name e --log-driver none ubuntu echo hidden > shown; docker logs e > none
        head -c 5000000 /dev/zero > zeros; docker run --rm -v /var/out:/o ubuntu cat /o/zeros | cmp - zeros && echo same > big
        """)
    await machine.end()
    #expect(machine.output("out") == "one\nthree")
    #expect(machine.output("err") == "two")
    #expect(machine.output("tail") == "3")
    #expect(machine.output("followed") == "1\n2\n3")
    #expect(machine.output("shown") == "hidden")
    #expect(machine.output("none") == "")
    #expect(machine.output("big") == "same")
  }

  @Test func `a container of an earlier boot is still known, and has ended`() async throws {
    let folder = TestFolder()
    try await TestMachine(
      script:
        "docker run --name old ubuntu sh -c 'exit 5'; docker run -d --stop-timeout 0 --name ran ubuntu sleep 1000",
      folder: folder
    ).end()
    let again = try TestMachine(
      script: """
        docker run --name old ubuntu true; echo $? > conflict
        docker inspect -f '{{.State.Running}} {{.State.ExitCode}}' old ran > states
        docker rm -f old; docker run --name old ubuntu true; echo $? > again
        """, folder: folder)
    await again.end()
    #expect(again.output("conflict") == "125")
    #expect(again.output("states") == "false 5\nfalse 137")
    #expect(again.output("again") == "0")
  }
}
