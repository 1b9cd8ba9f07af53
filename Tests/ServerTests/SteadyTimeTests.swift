import Model
import Testing

@testable import Server

@Suite struct SteadyTimeTests {
  @Test(arguments: [
    (UInt64(0), Int64(0), Int32(700_000_000)), (299_999_999, 0, 999_999_999), (300_000_000, 1, 0),
    (5_400_000_000, 6, 100_000_000),
  ])
  func timeGoesOnAsTheMonotonicClockDoesWhateverTheClockIsSetTo(
    elapsed: UInt64, seconds: Int64, nanoseconds: Int32
  ) {
    let began = Timestamp(unixSeconds: 1_700_000_000, nanoseconds: 700_000_000)
    let steady = SteadyTime(began: began, at: 42)
    #expect(steady.time(42 + elapsed) == Timestamp(unixSeconds: 1_700_000_000 + seconds, nanoseconds: nanoseconds))
  }

  @Test func nothingIsBeforeTheBeginning() {
    let began = Timestamp(unixSeconds: 1_700_000_000)
    #expect(SteadyTime(began: began, at: 42).time(41) == began)
  }
}
