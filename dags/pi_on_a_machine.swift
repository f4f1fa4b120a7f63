import Dagrun
import Foundation

// A job's machine is paid for by your project: write its id here. Against `dagrun emulator`, as in `make demo`, any will do.
let machine = JobConfig(project: "my-project", image: "debian:stable-slim", machineType: "e2-small")
  .spot(thenOnDemand: true).zones("europe-west1-b", "europe-west1-c").regions("europe-west4")
  .maxRunDuration(.hours(1)).labels(["purpose": "example"])

/// What the job writes to `$DAGRUN_OUTPUT`.
struct Estimate: Codable, Sendable {
  var pi: Double
  var hits: Int
  var points: Int
}

/// Estimates pi by throwing points at a square: the throws are planned here, made on a machine of Compute Engine that
/// exists only for them, and judged here again.
///
///     dagrun trigger pi_on_a_machine -c '{"points": 1000000}'
DAG(
  "pi_on_a_machine",
  params: [.int("points", default: 200_000, in: 1_000...100_000_000, description: "How many points to throw.")],
  tags: ["example", "job"], description: "Estimates pi on a machine of its own.",
  defaults: .init(retries: 1, retryDelay: .seconds(5))
) {
  let plan = SwiftOperator("plan") { context in
    let points = try context.params.int("points")
    context.log.info("\(points) points")
    return points
  }

  // Values are quoted for the shell wherever they are put.
  let estimate = ComputeEngineJobOperator(
    "estimate", job: machine,
    command: """
      echo "throwing $(( \(plan.output) )) points on $(uname -n)"
      awk -v points=\(plan.output) -v seed=\(.dsNodash) 'BEGIN {
        srand(seed)
        for (i = 0; i < points; i++) { x = rand(); y = rand(); if (x * x + y * y < 1) hits++ }
        printf "{\\"pi\\": %.6f, \\"hits\\": %d, \\"points\\": %d}\\n", 4 * hits / points, hits, points
      }' > "$DAGRUN_OUTPUT"
      cat "$DAGRUN_OUTPUT"
      """,
    timeout: .minutes(30))

  SwiftOperator("report", plan.output, estimate.output(as: Estimate.self)) { context, points, estimate in
    guard estimate.points == points else {
      throw TaskFailure("\(points) points were planned, \(estimate.points) thrown")
    }
    let error = abs(estimate.pi - Double.pi)
    // Four times the standard error: once in 16,000 runs it is worse.
    let allowed = 4 * 4 * (Double.pi / 4 * (1 - Double.pi / 4) / Double(points)).squareRoot()
    guard error <= allowed else { throw TaskFailure("\(estimate.pi) is not an estimate of pi: it is off by \(error)") }
    context.log.info("pi is about \(estimate.pi), by \(points) points; off by \(error)")
    return estimate.pi
  }
}
