// The sentences of a report about itself: its comparison, its choices, its intervals.
#pragma once

#include <string>
#include <vector>

#include "report/analysis.hpp"

namespace timbre::report {

/// The word for a repetition: "seed", "fold" (of one seed), or "repetition" where both do.
std::string repetition_word(const Analysis& a);

/// The comparison, in one sentence.
std::string comparison_sentence(const Analysis& a, const Options& options);

/// How configurations were chosen, and whose test figures are withheld; how often test parts were scored.
std::string selection_sentence(const Analysis& a);

/// Whether the clips of the test part took part in training or selection.
std::string test_caption(const Analysis& a);

/// Which interval over repetitions the figures have, and what it answers; "" where nothing is repeated.
std::string interval_sentence(const Analysis& a);

/// Which models are apart, and why none is ranked against another; "" where none does.
std::string parting_sentence(const Analysis& a);

}  // namespace timbre::report
