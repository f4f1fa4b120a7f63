/// Carries a closure that is confined to the engine's queue to another thread and back.
struct UncheckedSendableBox<Body>: @unchecked Sendable {
  let body: Body

  init(_ body: Body) { self.body = body }
}
