internal import CCurl

/// libcurl, loaded by whoever first needs it.
enum CurlLibrary {
  /// Loaded once for the process, or not there.
  static let shared: Result<Void, HTTPFailure> = load(["libcurl.so.4", "libcurl.so", "libcurl.4.dylib"])

  static func load(_ names: [String]) -> Result<Void, HTTPFailure> {
    var reasons: [String] = []
    for name in names {
      var text = [CChar](repeating: 0, count: 512)
      if ccurl_load(name, &text, text.count) == 0 { return .success(()) }
      reasons.append(text.withUnsafeBufferPointer { String(cString: $0.baseAddress!) })
    }
    return .failure(
      HTTPFailure(
        .unusable,
        """
        cannot load libcurl, which sends requests to Google (\(reasons.joined(separator: "; "))): install it, on Debian \
        and Ubuntu by 'apt-get install libcurl4'
        """))
  }

  static func text(_ code: CURLcode) -> String { String(cString: ccurl_error_text(code)) }
  static func text(_ code: CURLMcode) -> String { String(cString: ccurl_multi_error_text(code)) }
}
