import ArgumentParser
import Foundation
import Model
import Presentation
import Storage

extension CompletionKind {
  /// The ids of the DAGs that the home knows: quick, because it does not read the files.
  static var dags: CompletionKind {
    .custom { _, _, _ in
      let session = Session.process()
      guard let places = try? session.places(),
        let dags = try? StoreReader(path: places.home.databasePath).dags()
      else { return [] }
      return dags.map(\.record.dagID)
    }
  }
}
