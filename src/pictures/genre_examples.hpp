// A small picture of each genre of a data set, for reports.
#pragma once

#include <string>
#include <vector>

#include "data/clips.hpp"
#include "features/engine.hpp"

namespace timbre::pictures {

struct FeaturePicture {
  std::string title;  // the genre
  std::string alt;    // the same in words, with the clip's path
  std::string svg;    // spectrogram and MFCCs of the clip's first segment (feature_picture.hpp)
};

/// For each genre, in the order of the labels, its first clip by path that holds a segment; others are passed over,
/// and a genre without one has no picture. Throws Interrupted if a signal asked to stop.
std::vector<FeaturePicture> genre_examples(const data::ClipIndex& clips, const data::DatasetOptions& dataset,
                                           const features::FeatureOptions& features);

}  // namespace timbre::pictures
