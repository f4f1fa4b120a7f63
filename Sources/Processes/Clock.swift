internal import CLinux

/// Whether something keeps the machine's clock right (NTP), by the kernel's word.
package var clockIsSynchronized: Bool { clinux_clock_is_synchronized() != 0 }
