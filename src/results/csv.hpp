// Tables of a result as CSV: what other programs read most easily.
#pragma once

#include <string>

#include "results/run_record.hpp"

namespace timbre::results {

/// A cell as RFC 4180 quotes it.
std::string csv_cell(const std::string& text);

/// part,path,segment,label,prediction and a column for the probability of each class; a row for each segment of the validation
/// part and, where it is not sealed, of the test part.
std::string predictions_csv(const RunRecord& record);
/// epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds, and further columns that the run recorded
std::string history_csv(const RunRecord& record);
/// row,part: each row of the features, and the part of the split that it belongs to.
std::string splits_csv(const RunRecord& record);

}  // namespace timbre::results
