import ArgumentParser
import Dagrun

/// Which instance of a mapped task a command is about.
struct MapIndexOption: ParsableArguments {
  @Option(
    name: .customLong("map-index"), help: "Of a mapped task: the instance of this element, from 0.",
    transform: BoundedNumber.whole(.mapIndex))
  var mapIndex: Int?
}
