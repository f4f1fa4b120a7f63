import Dagrun
import Testing

@Suite struct ImageReferenceTests {
  @Test(arguments: [
    "debian", "debian:12", "debian:bookworm-slim", "google/cloud-sdk:latest", "a", "0", "a.b", "a_b", "a__b", "a-b",
    "a---b",
    "a/b/c/d", "localhost/a", "localhost:5000/a:1", "europe-docker.pkg.dev/my-project/repo/image:v1.2_3", "gcr.io/p/i",
    "127.0.0.1:5000/a", "[::1]:5000/a", "[2001:db8::1]/a", "example.com:my-tag", "HOST.com/a", "a:_x", "a:1.0-RC_2",
    "a@sha256:" + String(repeating: "0", count: 64), "gcr.io/a/b:c@sha256:" + String(repeating: "af", count: 32),
    "a:" + String(repeating: "x", count: 128), String(repeating: "a", count: 255), "LOCAL/a",
  ])
  func `what docker takes is taken`(image: String) {
    #expect(ImageReference.problem(with: image) == nil)
  }

  @Test(arguments: [
    ("", "empty"), ("debian:", "tag is empty"), (":12", "empty"), ("a:b:c", "tag"), ("a:-x", "tag"), ("a:.x", "tag"),
    ("a:x y", "blank"),
    ("a:x/", "port"), ("a:" + String(repeating: "x", count: 129), "128"), ("a:é", "ASCII"), ("a:x+y", "tag"),
    ("Debian", "upper-case"), ("gcr.io/P/i", "upper-case"), ("a//b", "empty"), ("/a", "empty"), ("a/", "empty"),
    ("-a", "begins"), ("a-", "ends"),
    ("a..b", "in a row"), ("a___b", "in a row"), ("a.-b", "in a row"), ("_a", "begins"), ("a.", "ends"),
    (".a", "begins"), ("a$b", "path"), ("a;b", "path"),
    ("a b", "blank"), (" a", "blank"), ("a\n", "blank"), ("a\t", "blank"), ("a\u{0}", "blank"),
    ("https://gcr.io/a", "scheme"), ("docker://a", "scheme"),
    ("gcr.io/", "empty"), ("gcr.io:/a", "port"), ("gcr.io:x/a", "port"), ("-gcr.io/a", "host"), ("gcr..io/a", "host"),
    ("gcr.io-/a", "host"), ("[::1/a", "host"),
    ("[::1]x/a", "host"), ("[]/a", "path"), ("[x]/a", "path"), ("a@", "digest"), ("a@sha256", "digest"),
    ("a@sha256:", "digest"), ("a@sha256:abc", "digest"),
    ("a@md5:" + String(repeating: "0", count: 32), "digest"),
    ("a@sha256:" + String(repeating: "A", count: 64), "digest"),
    ("a@sha256:" + String(repeating: "0", count: 65), "digest"),
    ("@sha256:" + String(repeating: "0", count: 64), "empty"),
    ("a@@sha256:" + String(repeating: "0", count: 64), "digest"), (String(repeating: "0", count: 64), "id"),
    (String(repeating: "a", count: 256), "255"), ("--privileged", "begins"), ("gs://bucket/a", "scheme"),
  ])
  func `what docker refuses is refused, with the reason`(image: String, reason: String) {
    #expect(
      ImageReference.problem(with: image)?.contains(reason) == true, "\(ImageReference.problem(with: image) ?? "taken")"
    )
  }
}
