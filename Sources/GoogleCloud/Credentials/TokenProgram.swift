internal import Foundation
internal import Processes

/// A program that prints the token to exchange (AIP-4117, "executable-sourced credentials").
struct TokenProgram: Sendable {
  private let account: ExternalAccount
  private let program: ExternalAccount.Executable

  init(_ account: ExternalAccount, _ program: ExternalAccount.Executable) {
    self.account = account
    self.program = program
  }

  func token(_ world: CloudEnvironment) async throws(CloudError) -> Secret {
    guard world.variable("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES") == "1" else {
      throw account.unusable(
        "it names a program to run, and that is not allowed",
        hint: "if you trust the file, set GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1")
    }
    if let path = program.outputFile, let bytes = try? Data(contentsOf: URL(fileURLWithPath: path)),
      let kept = try? JSONDecoder.ofSnakeCase.decode(Answer.self, from: bytes), kept.success,
      let expiry = kept.expirationTime, expiry > world.now().timeIntervalSince1970, let token = kept.token
    {
      return token
    }
    guard let words = Self.words(program.command), let executable = words.first else {
      throw account.unusable("its command is empty, or has an open quote", hint: nil)
    }
    let seconds = Double(program.timeoutMillis ?? 30_000) / 1000
    guard (5.0...120.0).contains(seconds) else {
      throw account.unusable("its timeout_millis is not within 5000 and 120000", hint: nil)
    }
    let spawn = Spawn(executable, Array(words.dropFirst()), environment: environment(world))
    let ended = await Self.run(spawn, seconds)
    let result: CapturedProcess
    switch ended {
    case .success(let process): result = process
    case .failure(let error): throw account.unusable("\(error)", hint: nil)
    }
    if result.hasTimedOut { throw account.unusable("\(executable) did not end within \(Int(seconds)) s", hint: nil) }
    // What it prints may be the token: only its own fields are quoted.
    let answer = try? JSONDecoder.ofSnakeCase.decode(Answer.self, from: Data(result.captured[1] ?? []))
    if let answer, !answer.success {
      let reason = [answer.code, answer.message].compactMap { $0 }.joined(separator: ": ")
      throw account.unusable("\(executable) says: \(reason.prefix(300))", hint: nil)
    }
    guard result.status.isSuccess else {
      throw account.unusable("\(executable) ended with \(result.status)", hint: nil)
    }
    guard let answer else {
      throw account.unusable("\(executable) printed no such JSON as AIP-4117 asks for", hint: nil)
    }
    guard answer.version == 1 else {
      throw account.unusable("\(executable) answers in version \(answer.version), not 1", hint: nil)
    }
    if let expiry = answer.expirationTime, expiry <= world.now().timeIntervalSince1970 {
      throw account.unusable("the token that \(executable) printed has expired", hint: nil)
    }
    if answer.expirationTime == nil, program.outputFile != nil {
      throw account.unusable("\(executable) printed no expiration_time, which an output_file needs", hint: nil)
    }
    guard let token = answer.token else {
      throw account.unusable("\(executable) printed no token of a type that can be exchanged", hint: nil)
    }
    return token
  }

  private func environment(_ world: CloudEnvironment) -> [String: String] {
    var environment = world.environment
    environment["GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE"] = account.audience
    environment["GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE"] = account.subjectTokenType
    environment["GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE"] = "0"
    if let file = program.outputFile { environment["GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"] = file }
    if let url = account.serviceAccountImpersonationUrl, let email = Impersonation(url: url).email {
      environment["GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL"] = email
    }
    return environment
  }

  /// On a thread of its own: it blocks until the program ends.
  private static func run(_ spawn: Spawn, _ seconds: Double) async -> Result<CapturedProcess, SystemError> {
    await withUnsafeContinuation { continuation in
      DispatchQueue.global().async {
        do throws(SystemError) {
          continuation.resume(returning: .success(try spawn.run(capturing: [1], timeout: seconds, limitBytes: 1 << 20)))
        } catch { continuation.resume(returning: .failure(error)) }
      }
    }
  }

  /// Splits as a shell would, with its quotes and backslashes, and expands nothing. nil for an open quote.
  static func words(_ command: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var quote: Character?
    var isEscaped = false
    for character in command {
      if isEscaped {
        // Within double quotes a backslash stands for itself before most characters.
        if quote == "\"", !"\"\\$`".contains(character) { word = (word ?? "") + "\\" }
        word = (word ?? "") + String(character)
        isEscaped = false
      } else if character == "\\", quote != "'" {
        isEscaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { word = (word ?? "") + String(character) }
      } else if character == "'" || character == "\"" {
        quote = character
        word = word ?? ""
      } else if character.isWhitespace {
        if let done = word { words.append(done) }
        word = nil
      } else {
        word = (word ?? "") + String(character)
      }
    }
    if quote != nil || isEscaped { return nil }
    if let done = word { words.append(done) }
    return words
  }

  private struct Answer: Decodable {
    var version: Int
    var success: Bool
    var tokenType: String?
    var idToken: Secret?
    var samlResponse: Secret?
    var expirationTime: Double?
    var code: String?
    var message: String?

    var token: Secret? {
      switch tokenType {
      case "urn:ietf:params:oauth:token-type:jwt", "urn:ietf:params:oauth:token-type:id_token": idToken
      case "urn:ietf:params:oauth:token-type:saml2": samlResponse
      default: nil
      }
    }
  }
}
