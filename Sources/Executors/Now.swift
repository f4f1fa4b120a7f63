internal import Dagrun
internal import Processes

func now() -> Timestamp { Timestamp(microseconds: wallClockMicroseconds()) }
