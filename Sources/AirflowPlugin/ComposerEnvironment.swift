/// An environment of Cloud Composer, and the command lines of gcloud that put the plugin into it.
///
/// Everything goes to the bucket's folder `plugins`. Composer copies that to every part of Airflow; its folder `data`
/// reaches neither the triggerer nor the web server.
package struct ComposerEnvironment: Sendable {
  package var name: String
  package var location: String
  /// nil: gcloud's own.
  package var project: String?

  package init(name: String, location: String, project: String? = nil) {
    self.name = name
    self.location = location
    self.project = project
  }

  package static let pluginName = "dagrun_plugin.py"
  /// The binary with the libraries that it brings along. One file arrives whole or not at all, and files in the bucket
  /// cannot be executed anyway: the plugin unpacks it where it runs.
  package static let archiveName = "dagrun.tar.gz"
  /// Where Airflow sees it there.
  package static let archivePath = "/home/airflow/gcs/plugins/\(archiveName)"

  /// Prints where the environment's bucket is; fails when there is no such environment.
  package var describe: [String] {
    ["composer", "environments", "describe", name] + place + ["--format=value(config.dagGcsPrefix)"]
  }

  /// Copies a file to the folder `plugins` of the environment's bucket, under its own name.
  package func importPlugin(_ path: String) -> [String] {
    ["composer", "environments", "storage", "plugins", "import", "--environment=\(name)"] + place
      + ["--source=\(path)"]
  }

  private var place: [String] {
    ["--location=\(location)"] + (project.map { ["--project=\($0)"] } ?? []) + ["--quiet"]
  }

  /// What is wrong with the names; nil: nothing. Google's own rules are checked by gcloud; this keeps a name from being
  /// taken for something else.
  package var problem: String? {
    for (option, value) in [("--composer-environment", name), ("--location", location), ("--project", project ?? "p")] {
      if value.isEmpty { return "\(option) is empty" }
      if let bad = value.first(where: { !$0.isASCII || !($0.isLetter || $0.isNumber || "-_.:".contains($0)) }) {
        return "\(option) '\(value)' has a character that no such name has: '\(bad)'"
      }
      if value.hasPrefix("-") { return "\(option) '\(value)' begins with a hyphen" }
    }
    return nil
  }
}
