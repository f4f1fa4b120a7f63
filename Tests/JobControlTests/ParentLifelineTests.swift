import ModelCloud
import Synchronization
import Testing

@testable import JobControl

@Suite(.timeLimit(.minutes(1))) struct ParentLifelineTests {
  private let pipe = Pipe()

  @Test func `its end calls back, also who asks later`() async {
    let lifeline = ParentLifeline(pipe.reading) { $0() }
    let (first, second, forgotten) = (Gate(), Gate(), Reports<Int>())
    lifeline.forget(lifeline.onEnd { forgotten.add(1) })
    _ = lifeline.onEnd { first.open() }
    #expect(!lifeline.hasEnded)
    pipe.close()
    await first.wait()
    #expect(lifeline.hasEnded && forgotten.all.isEmpty)
    _ = lifeline.onEnd { second.open() }
    await second.wait()
  }

  /// Who sends a signal and dies wants that signal heard.
  @Test func `it has not ended before earlier signals were heard`() async {
    let asked = Gate()
    let heard = Mutex<(@Sendable () -> Void)?>(nil)
    let lifeline = ParentLifeline(pipe.reading) { then in
      heard.withLock { $0 = then }
      asked.open()
    }
    let ended = Reports<Int>()
    _ = lifeline.onEnd { ended.add(1) }
    pipe.close()
    await asked.wait()
    #expect(!lifeline.hasEnded && ended.all.isEmpty)
    heard.withLock(\.self)?()
    #expect(lifeline.hasEnded && ended.all == [1])
  }

  @Test(arguments: [("taken\n", true), ("tak", false), ("taken", false), ("", false), ("what\ntaken\n", true)])
  func `a result is received by the word of whoever holds it`(text: String, isReceived: Bool) async {
    let lifeline = ParentLifeline(pipe.reading) { $0() }
    pipe.write(text)
    pipe.close()
    #expect(await lifeline.waitUntilReceived() == isReceived)
  }
}
