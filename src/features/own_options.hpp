// How a kind of feature adds options that it alone has:
//
//   struct RmsOptions {
//     static constexpr auto part = "rms";
//     int frame_length = 2048;
//   };
//   const config::Schema<RmsOptions>& schema(config::of<RmsOptions>);
//   const OwnRegistration<RmsOptions> options;
//
// Code that has the FeatureOptions asks for them by own_as<RmsOptions>().
#pragma once

#include "config/part.hpp"
#include "features/options.hpp"

namespace timbre::features {

using OwnRegistry = config::PartRegistry<OwnOptions>;

template <class Options>
using OwnRegistration =
    config::PartRegistration<OwnOptions, config::WithOptions<OwnOptions, Options>, Options>;

}  // namespace timbre::features
