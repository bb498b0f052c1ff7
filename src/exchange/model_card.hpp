// A model card: what somebody who is given a network should know, as Markdown, out of its result alone.
//
// What it is for, the data and their split with its leaks, the figures with intervals beside baselines, genre by genre, what
// it was not tested on, and how to run it and make it again.
// Source: Mitchell et al., "Model Cards for Model Reporting", 2019.
#pragma once

#include <string>

#include "results/run_record.hpp"

namespace timbre::exchange {

/// The same record gives the same text. Texts of the record are made safe for a terminal, and for a table.
std::string model_card(const results::RunRecord& record);

}  // namespace timbre::exchange
