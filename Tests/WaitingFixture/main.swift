import Foundation
import GoogleCloud

// `WaitingFixture URL COUNT`: sends so many requests at once and waits for the answers. Ends with 0 when all are 200.
let arguments = CommandLine.arguments
guard arguments.count == 3, let count = Int(arguments[2]) else { exit(64) }
exit(await areAnswered(count, arguments[1]) ? 0 : 1)

func areAnswered(_ count: Int, _ url: String) async -> Bool {
  let client = HTTPClient()
  return await withTaskGroup(of: Bool.self) { group in
    for number in 0..<count {
      group.addTask {
        var request = HTTPRequest("GET", "\(url)/\(number)")
        request.bufferBytes = 1024
        request.timeoutSeconds = 600
        do throws(HTTPFailure) {
          return try await client.send(request).status == 200
        } catch {
          return false
        }
      }
    }
    var isGood = true
    for await one in group where !one { isGood = false }
    return isGood
  }
}
