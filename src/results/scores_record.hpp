// The scores of a result beside its two scored parts: how it fits its training part, what baselines make of the test part, and
// how often the test part was looked at.
//
//   /train            attributes accuracy, loss, macro_f1 of segments, clip_accuracy, clip_macro_f1: of the training rows with
//                     the kept weights, dropout off, without penalties
//   /baselines/NAME   majority | nearest_mean | logistic (evaluation/baselines): probabilities float32 [N, C] of the test
//                     rows; attributes accuracy (segments), clip_accuracy, parameters; of logistic penalty,
//                     iterations, converged
//   /ledger           {by, why} texts, one for every time that the test part was scored; attribute looks, their number
// All are absent from results of earlier versions. A result whose test part is sealed has no /test, no /baselines and no
// look in its ledger.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "evaluation/baselines/baselines.hpp"
#include "storage/hdf5.hpp"

namespace timbre::results {

struct Evaluation;

struct TrainRecord {
  double accuracy = 0, loss = 0, macro_f1 = 0;  // of segments
  double clip_accuracy = 0, clip_macro_f1 = 0;
};

struct BaselineRecord : evaluation::Baseline {
  double accuracy = 0, clip_accuracy = 0;
};

/// "run_experiment", "this run"; "run_study", "chosen on validation among 12 configurations".
struct Look {
  std::string by, why;
};

TrainRecord train_record(const Evaluation& of_train);

/// With the accuracies that its probabilities have on the rows of `test`.
BaselineRecord baseline_record(evaluation::Baseline baseline, const Evaluation& test);

struct ScoresRecord {
  std::optional<TrainRecord> train;
  std::vector<BaselineRecord> baselines;
  std::vector<Look> looks;
};

void write_scores(storage::H5File& file, const ScoresRecord& scores, std::int64_t classes);
/// `rows`, `classes`: of the test part; 0 rows where there is none. Throws Error where they do not fit together.
ScoresRecord read_scores(const storage::H5File& file, std::int64_t rows, std::int64_t classes);

template <class A>
void travel(A& parcel, TrainRecord& t) {
  parcel(t.accuracy, t.loss, t.macro_f1, t.clip_accuracy, t.clip_macro_f1);
}
template <class A>
void travel(A& parcel, BaselineRecord& b) {
  parcel(b.name, b.probabilities, b.parameters, b.penalty, b.iterations, b.converged, b.accuracy,
         b.clip_accuracy);
}
template <class A>
void travel(A& parcel, Look& l) {
  parcel(l.by, l.why);
}
template <class A>
void travel(A& parcel, ScoresRecord& s) {
  parcel(s.train, s.baselines, s.looks);
}

}  // namespace timbre::results
