#include <charconv>
#include <cmath>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/split.hpp"

namespace timbre::data {

config::Type SplitPart::describe() {
  config::Type fraction{config::Type::Kind::number};
  fraction.limits = {.low = 0, .high = 1, .above_low = true, .below_high = true};
  return config::Type::either({std::move(fraction), {config::Type::Kind::path}});
}

SplitPart SplitPart::from(const config::Reader& reader) {
  const auto& node = reader.node();
  if (node.is_scalar() && !node.quoted) {
    double value = 0;
    const char *begin = node.scalar.data(), *end = begin + node.scalar.size();
    const auto [stop, error] = std::from_chars(begin, end, value);
    if (stop == end && begin != end) {
      if (error != std::errc() || !(value > 0 && value < 1))
        reader.fail("must be a fraction greater than 0 and less than 1, or a file that lists clips, not " +
                    config::describe(node));
      return {value, {}};
    }
  }
  return {0, reader.path_value()};
}

config::Node SplitPart::dump() const {
  return list.empty() ? config::detail::number_node(fraction) : config::Node::text(list.string());
}

const config::Schema<SplitLists>& schema(config::of<SplitLists>) {
  static const auto s =
      config::Schema<SplitLists>("files with one clip, <genre>/<clip>, per line")
          .required("train", &SplitLists::train, "the file of the training part")
          .later_field("validation", &SplitLists::validation,
                       "the file of the validation part. Without it, a fold of train validates (split.folds)")
          .required("test", &SplitLists::test, "the file of the test part");
  return s;
}

namespace {

std::string problem_with(const SplitOptions& o) {
  if (o.by && o.group_by != "clip") return "by and group_by exclude each other; give one of them";
  const int listed = !o.train.list.empty() + !o.validation.list.empty() + !o.test.list.empty();
  if (listed != 0 && listed != 3)
    return "train, validation and test must all be fractions or all be lists of clips";
  if (listed && o.lists) return "the lists are named twice, by lists and by train, validation and test";
  const bool inside = o.lists && !o.lists->validation;  // folds inside train
  if (inside && !o.folds)
    return "lists without validation need folds: what is to validate is a fold of train";
  if ((listed || (o.lists && !inside)) && o.folds)
    return "lists and folds exclude each other; give one of them (or lists without validation)";
  if (inside && *o.folds < 2) return fmt::format("folds inside train must be at least 2, not {}", *o.folds);
  if (o.folds) {
    if (!inside && *o.folds < 3)
      return fmt::format("folds must be at least 3 (one to test, one to validate, the rest to train), not {}",
                         *o.folds);
    if (o.fold >= *o.folds) return fmt::format("fold must be from 0 to {}, not {}", *o.folds - 1, o.fold);
    return "";
  }
  if (o.fold != 0) return fmt::format("fold {} without folds", o.fold);
  if (listed || o.lists) return "";
  const double sum = o.train.fraction + o.validation.fraction + o.test.fraction;
  if (!(std::abs(sum - 1) <= 1e-6))
    return fmt::format("train, validation and test must add up to 1; {} + {} + {} is {}",
                       number_text(o.train.fraction), number_text(o.validation.fraction),
                       number_text(o.test.fraction), fmt::format("{:.6g}", sum));
  return "";
}

}  // namespace

const config::Schema<SplitOptions>& schema(config::of<SplitOptions>) {
  static const auto s =
      config::Schema<SplitOptions>("which clips train, validate and test")
          .field(
              "group_by", &SplitOptions::group_by, "what the three parts never share",
              config::choice_of(
                  {{"clip", "no clip, copy or near duplicate is in two parts"},
                   {"artist",
                    "no artist is in two parts; a manifest's column group or split.groups names them"},
                   {"segment",
                    "segments of one clip may be in training and in test: the result LEAKS, and says so"}}))
          .later_field("by", &SplitOptions::by,
                       "a column of the manifest whose values the parts never share, instead of group_by")
          .field("train", &SplitOptions::train,
                 "share of the groups that train, or a file that lists the clips")
          .field("validation", &SplitOptions::validation,
                 "share of the groups that validate (early stopping and choices between runs), or a file")
          .field("test", &SplitOptions::test, "share of the groups that test, or a file")
          .field("stratify", &SplitOptions::stratify,
                 "whether every class is in every part, in the same shares")
          .field("lists", &SplitOptions::lists, "files that name the clips of each part, instead of shares")
          .field("folds", &SplitOptions::folds,
                 "number of equal folds, instead of shares. One tests, the next validates, the others "
                 "train. With lists, folds of the train list, of which one validates",
                 config::at_least(2))
          .field("fold", &SplitOptions::fold, "the fold that tests, counted from 0", config::at_least(0))
          .field("groups", &SplitOptions::groups,
                 "a file that names the artist of each clip: an index 'file ::: artist ::: title', or CSV "
                 "with the columns path,group")
          .field("seed", &SplitOptions::seed, "the random numbers that deal the parts. null: the run's seed",
                 config::at_least(std::int64_t{0}))
          .check(problem_with);
  return s;
}

}  // namespace timbre::data
