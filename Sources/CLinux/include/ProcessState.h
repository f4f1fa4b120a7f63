// What a task can do to the process it runs in, and how a worker finds out.
//
// To ask the kernel about everything takes 100 system calls, which is more than many tasks do. So the functions of the C
// library that change the state of a process are interposed: each counts itself and calls the real one. Only when
// something was counted is the kernel asked (`clinux_process_state`).
#pragma once

/// How often this process has called a function that changes the state of a process.
unsigned long clinux_changes(void);
/// Of those, the calls that nothing can be asked about afterwards, such as `atexit`.
unsigned long clinux_lasting_changes(void);

/// Whether the environment is the one of the last `clinux_remember_environment`, by its pointers. What sets a variable is
/// counted besides.
int clinux_environment_is_unchanged(void);
void clinux_remember_environment(void);

/// Writes what the kernel and the C library say of this process, and of the calling thread, as lines `what: value`, for
/// comparison with the text of another moment. Returns the length; more than `size` means that it was cut.
///
/// What other processes can change as well stands before the line `own`; with `only_foreign`, nothing else is asked for.
unsigned long clinux_process_state(char *text, unsigned long size, int only_foreign);

/// Which descriptors are open, and which is the lowest that is not, for `clinux_descriptors_are_unchanged`.
void clinux_remember_descriptors(void);
/// Whether the first 16 descriptors are open or not as when they were remembered. One system call.
int clinux_descriptors_are_unchanged(void);

/// Calls back, with its number, before this process closes or replaces a descriptor that was guarded.
void clinux_guard_descriptor(int descriptor);
void clinux_on_guarded_close(void (*callback)(int descriptor));

/// Puts back the root folder and the effective ids, as far as the process still may.
void clinux_remember_root(void);
void clinux_put_back_root_and_ids(void);
