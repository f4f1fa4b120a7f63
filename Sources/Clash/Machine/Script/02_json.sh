# Reading JSON and writing addresses.

# Prints the strings at a path of a JSON text, one a line: `json_strings items.name <FILE`.
json_strings() {
  json_path=$1 awk '
    function character() { return substr(text, position++, 1) }
    function utf8(code) {
      if (code < 128) return sprintf("%c", code)
      if (code < 2048) return sprintf("%c%c", 192 + int(code / 64), 128 + code % 64)
      if (code < 65536)
        return sprintf("%c%c%c", 224 + int(code / 4096), 128 + int(code / 64) % 64, 128 + code % 64)
      return sprintf("%c%c%c%c", 240 + int(code / 262144), 128 + int(code / 4096) % 64,
        128 + int(code / 64) % 64, 128 + code % 64)
    }
    function hexadecimal(digits, value, at) {
      value = 0
      for (at = 1; at <= 4; at++) value = value * 16 + index("0123456789abcdef", tolower(substr(digits, at, 1))) - 1
      return value
    }
    function escaped(code, low) {
      code = hexadecimal(substr(text, position, 4))
      position += 4
      if (code >= 55296 && code < 56320 && substr(text, position, 2) == "\\u") {
        low = hexadecimal(substr(text, position + 2, 4))
        if (low >= 56320 && low < 57344) {
          position += 6
          code = 65536 + (code - 55296) * 1024 + low - 56320
        }
      }
      return utf8(code)
    }
    # Reads to the closing quote.
    function string(out, c) {
      out = ""
      while (position <= size) {
        c = character()
        if (c == "\"") return out
        if (c != "\\") { out = out c; continue }
        c = character()
        if (c == "u") out = out escaped()
        else if (c == "n") out = out "\n"
        else if (c == "t") out = out "\t"
        else if (c == "r") out = out "\r"
        else if (c == "b") out = out "\b"
        else if (c == "f") out = out "\f"
        else out = out c
      }
      return out
    }
    function path(level, joined) {
      joined = ""
      for (level = 1; level <= depth; level++)
        if (key[level] != "") joined = joined (joined == "" ? "" : ".") key[level]
      return joined
    }
    { text = text $0 "\n" }
    END {
      size = length(text)
      depth = 0
      position = 1
      while (position <= size) {
        c = character()
        if (c == "{" || c == "[") key[++depth] = ""
        else if (c == "}" || c == "]") depth--
        else if (c == "\"") {
          value = string()
          while (substr(text, position, 1) ~ /^[ \t\r\n]$/) position++
          if (substr(text, position, 1) == ":") { key[depth] = value; position++ }
          else if (path() == ENVIRON["json_path"]) print value
        }
      }
    }'
}

# Percent-encodes all but the characters that need not be: for one part of an address. Sets `encoded`.
encode() { # TEXT
  local text=$1 index piece
  encoded=
  for ((index = 0; index < ${#text}; index++)); do
    piece=${text:index:1}
    case $piece in
      [A-Za-z0-9._~-]) encoded+=$piece ;;
      *)
        printf -v piece '%d' "'$piece"
        printf -v piece '%%%02X' "$((piece & 255))"
        encoded+=$piece
        ;;
    esac
  done
}
