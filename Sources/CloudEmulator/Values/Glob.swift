/// Whether a text is as a pattern says, in which `*` stands for anything, also for nothing.
func isMatch(_ pattern: String, _ text: String) -> Bool {
  let pattern = Array(pattern.utf8)
  let text = Array(text.utf8)
  let star = UInt8(ascii: "*")
  var at = (pattern: 0, text: 0)
  // Where to continue when what follows the last star does not fit.
  var retry: (pattern: Int, text: Int)?
  while at.text < text.count {
    if at.pattern < pattern.count, pattern[at.pattern] == star {
      retry = (at.pattern + 1, at.text)
      at.pattern += 1
    } else if at.pattern < pattern.count, pattern[at.pattern] == text[at.text] {
      at = (at.pattern + 1, at.text + 1)
    } else if let last = retry {
      retry = (last.pattern, last.text + 1)
      at = (last.pattern, last.text + 1)
    } else {
      return false
    }
  }
  return pattern[at.pattern...].allSatisfy { $0 == star }
}
