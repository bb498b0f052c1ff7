// A request to stop, as every room sees it. cli/command_line.hpp hears signals and makes the request.
#pragma once

#include <atomic>

namespace timbre {

/// The number of the signal that asked to stop, or 0.
const std::atomic<int>& stop_signal();

/// Asks to stop. Returns the number of the signal that asked before, or 0.
int ask_to_stop(int signal_number);

/// Throws Interrupted if a signal asked to stop.
void throw_if_stopped();

}  // namespace timbre
