// Warnings that must accompany figures: SYNTHETIC, LEAKS, ARTISTS, MISSING.
#pragma once

#include <string>
#include <vector>

#include "report/analysis.hpp"
#include "results/split_record.hpp"

namespace timbre::report {

/// Of a whole report, over all runs.
std::vector<results::Stamp> stamps(const Analysis& a);

/// Of one model, as its figures have them: "LEAKS", "ARTISTS 55 to 60%" (over its runs).
std::vector<std::string> brief_stamps(const Analysis& a, const Family& f);
/// Of one run.
std::vector<std::string> brief_stamps(const RunSummary& r);

/// Share of test clips whose artist is in train, over the runs of a model: the least and the most; NaN if not known.
struct ArtistShare {
  double least, most;
};
ArtistShare artist_share(const Analysis& a, const Family& f);

}  // namespace timbre::report
