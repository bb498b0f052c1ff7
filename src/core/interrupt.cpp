#include "core/interrupt.hpp"

#include "core/error.hpp"

namespace timbre {

namespace {
std::atomic<int> signal_seen{0};
}

const std::atomic<int>& stop_signal() { return signal_seen; }

int ask_to_stop(int signal_number) { return signal_seen.exchange(signal_number); }

void throw_if_stopped() {
  if (const int number = stop_signal().load(); number != 0) throw Interrupted(number);
}

}  // namespace timbre
