#include "nn/model.hpp"

#include <algorithm>
#include <map>

#include "config/schema.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/initialiser.hpp"
#include "nn/layers/masking.hpp"
#include "nn/layers/random_crop.hpp"
#include "nn/layers/residual.hpp"

namespace timbre::nn {

const config::Schema<Regularisation>& schema(config::of<Regularisation>) {
  static const auto s =
      config::Schema<Regularisation>("penalties and dropout over the whole model")
          .field("l1", &Regularisation::l1,
                 "strength of the sum of |w| over every kernel, not over biases and recurrent kernels. A "
                 "layer's own value replaces it",
                 config::at_least(0.0))
          .field("l2", &Regularisation::l2,
                 "strength of the sum of w^2 over every kernel, not over biases and recurrent kernels. A "
                 "layer's own value replaces it",
                 config::at_least(0.0))
          .field("dropout", &Regularisation::dropout,
                 "replaces the rate of every dropout layer. null: each keeps its own", config::rate());
  return s;
}

namespace {

constexpr std::int64_t most_parameters = std::int64_t{1} << 31;
constexpr std::size_t most_layers = 1000;

std::int64_t padded(std::int64_t size) { return (size + 15) / 16 * 16; }

}  // namespace

/// Adds layer after layer.
class Model::Builder {
 public:
  Builder(Model& model, std::int64_t classes, const Regularisation& regularisation)
      : m_(model), classes_(classes), regularisation_(regularisation) {}

  /// Layers that follow each other, with the places that messages name.
  struct Branch {
    std::vector<std::shared_ptr<Layer>> layers;
    std::vector<config::Reader::Choice> places;
    config::Reader place(std::size_t i) const { return places[i].options(); }
  };

  void add_item(const config::Reader& item) {
    const auto choice = item.choice("layer", LayerRegistry::instance().names());
    const std::shared_ptr<Layer> layer =
        LayerRegistry::instance().find(choice.name)->parse(choice.options(), classes_);
    if (regularisation_.dropout) layer->set_dropout(*regularisation_.dropout);
    if (const auto* block = layer->block())
      array_ = add_block(layer, *block, choice.options());
    else
      array_ = add(layer, choice.options(), array_);
  }
  const Shape& shape() const { return shape(array_); }

  /// Which layers are chained.
  void finish() {
    std::vector<int> takers(m_.layers_.size() + 1, 0);
    for (const auto& e : m_.layers_)
      for (const int array : {e.from, e.other})
        if (array >= 0) ++takers[std::size_t(array)];
    for (std::size_t i = 0; i < m_.layers_.size(); ++i) {
      auto& e = m_.layers_[i];
      e.chained = e.from == int(i) && e.other < 0 && takers[i] == 1;
    }
  }

 private:
  const Shape& shape(int array) const {
    return array == 0 ? m_.input_ : m_.layers_[std::size_t(array) - 1].output;
  }

  int mask(int array) const { return masks_[std::size_t(array)]; }

  /// Returns the number of its output.
  int add(std::shared_ptr<Layer> layer, const config::Reader& place, int from, int other = -1,
          bool within = false) {
    Entry entry;
    entry.layer = std::move(layer);
    entry.name = snake_case(entry.layer->keras_class());
    if (const int n = used_[entry.name]++; n > 0) entry.name += "_" + std::to_string(n);
    entry.from = from, entry.other = other, entry.within = within;
    entry.input = shape(from);
    entry.mask = mask(from);
    try {
      if (other >= 0 && mask(other) != entry.mask)
        fail_request(
            "the body and the shortcut have masked steps of their own; masking before the block is for both");
      entry.output = entry.layer->infer(entry.input);
      if (const auto use = entry.layer->mask_use(); use == MaskUse::makes)
        entry.mask = int(m_.layers_.size());
      else if (entry.mask >= 0 && use == MaskUse::none)
        fail_request(
            "cannot take steps that {} masks: before it an lstm, gru or bidirectional without "
            "return_sequences, or "
            "global_average_pooling1d, must end the sequence",
            m_.layers_[std::size_t(entry.mask)].name);
      for (auto& spec : entry.layer->parameters(entry.input)) {
        const Penalty global{regularisation_.l1, regularisation_.l2};
        const Penalty penalty = spec.penalty ? *spec.penalty : spec.global_penalty ? global : Penalty{};
        if (spec.shape.size() > most_parameters) fail_request("has more than 2^31 parameters");
        entry.parameters.push_back(int(m_.parameters_.size()));
        m_.parameters_.push_back({int(m_.layers_.size()), std::move(spec), 0, penalty});
      }
    } catch (const RequestError& e) {
      place.fail(e.what());
    }
    masks_.push_back(entry.output.rank() == 2 ? entry.mask : -1);
    const auto size = entry.output.size();
    const auto shown = entry.output.str();
    m_.layers_.push_back(std::move(entry));
    if (m_.layers_.size() > most_layers)
      place.fail(fmt::format("the model has more than {} layers", most_layers));
    if (m_.parameter_count() > most_parameters) place.fail("the model has more than 2^31 parameters");
    if (size > most_parameters) place.fail("its output " + shown + " is too large");
    return int(m_.layers_.size());
  }

  static Branch branch(const std::vector<std::shared_ptr<Layer>>& layers, const config::Reader& list) {
    Branch out{layers, {}};
    for (std::size_t i = 0; i < layers.size(); ++i)
      out.places.push_back(list.item(i).choice("layer", LayerRegistry::instance().names()));
    return out;
  }

  /// What the branch makes of a shape.
  static Shape through(const Branch& branch, Shape shape) {
    for (std::size_t i = 0; i < branch.layers.size(); ++i) try {
        // (Keras needs a Reshape there, which would change how it sorts the branches.)
        const auto& layer = *branch.layers[i];
        if (i > 0 && shape.rank() == 2 && layer.keras_class().ends_with("2D"))
          fail_request("within a block needs an input (H, W, C), not {}: a reshape layer makes it one",
                       shape.str());
        shape = layer.infer(shape);
      } catch (const RequestError& e) {
        branch.place(i).fail(e.what());
      }
    return shape;
  }

  int add_block(const std::shared_ptr<Layer>& sum, const Block& block, const config::Reader& options) {
    const bool listed = options.node().is_sequence();
    const auto body = branch(block.body, listed ? options : options.entry("layers"));
    if (body.layers.empty()) options.fail("has no layers");
    const auto output = through(body, shape());
    Branch shortcut;
    if (block.shortcut) {
      if (!block.shortcut->empty()) shortcut = branch(*block.shortcut, options.entry("shortcut"));
    } else if (output != shape()) {
      try {
        shortcut.layers = projection(shape(), output);
      } catch (const RequestError& e) {
        options.fail(e.what());
      }
      const config::Reader::Choice here{"", options.node(), options.path()};
      shortcut.places.assign(shortcut.layers.size(), here);
    }
    if (const auto other = through(shortcut, shape()); other != output)
      options.fail(fmt::format("the body's output is {}, and the shortcut's {}: they must be of one shape",
                               output.str(), other.str()));
    // By their distance from the sum, the body's first: Keras sorts layers so, and their weights.
    const Branch* branches[] = {&body, &shortcut};
    int ends[] = {array_, array_};
    for (auto distance = std::max(body.layers.size(), shortcut.layers.size()); distance > 0; --distance)
      for (const int k : {0, 1}) {
        const auto& b = *branches[k];
        if (b.layers.size() < distance) continue;
        const auto i = b.layers.size() - distance;
        ends[k] = add(b.layers[i], b.place(i), ends[k], -1, true);
      }
    const auto y = add(sum, options, ends[0], ends[1]);
    if (block.activation == "linear") return y;
    return add(layer_from("activation: " + block.activation), options, y, -1, true);
  }

  Model& m_;
  std::int64_t classes_;
  const Regularisation& regularisation_;
  std::map<std::string, int> used_;
  std::vector<int> masks_{-1};  // of the arrays: see Entry::mask
  int array_ = 0;               // what the next layer takes
};

Model Model::parse(const config::Reader& reader, const Shape& input, std::int64_t classes,
                   const Regularisation& regularisation) {
  if (!reader.node().is_sequence())
    reader.fail("must be a sequence of layers, not " + config::describe(reader.node()));
  if (reader.node().items.empty()) reader.fail("has no layers");
  if (reader.node().items.size() > most_layers)
    reader.fail(fmt::format("has {} layers, which is more than {}", reader.node().items.size(), most_layers));
  Model m;
  m.input_ = input;
  m.classes_ = classes;
  Builder builder(m, classes, regularisation);
  for (std::size_t i = 0; i < reader.node().items.size(); ++i) builder.add_item(reader.item(i));
  builder.finish();
  const auto shape = builder.shape();
  const auto last = reader.item(reader.node().items.size() - 1);
  if (!m.layers_.back().layer->ends_in_softmax())
    last.fail(
        "the last layer must end in activation: softmax, as `- dense: {units: classes, activation: "
        "softmax}`");
  if (shape.rank() > 1 && shape.back() == classes)
    last.fail(fmt::format(
        "the model's output is {}, and must be {}: add a flatten layer, or one that ends the sequence "
        "(an lstm without return_sequences), before it",
        shape.str(), Shape{classes}.str()));
  if (shape != Shape{classes})
    last.fail(fmt::format("the model's output is {}, but the data have {} classes: use units: classes",
                          shape.str(), classes));
  if (m.trainable_parameter_count() == 0) reader.fail("has nothing to train");
  m.place();
  return m;
}

/// Gives each parameter its place in the arena.
void Model::place() {
  arena_size_ = 0;
  for (const bool trainable : {true, false}) {
    for (auto& parameter : parameters_)
      if (parameter.spec.trainable == trainable) {
        parameter.offset = arena_size_;
        arena_size_ += padded(parameter.spec.shape.size());
      }
    if (trainable) trainable_size_ = arena_size_;
  }
}

void Model::freeze(const std::vector<std::string>& names) {
  std::vector<std::string> known;
  for (const auto& entry : layers_) known.push_back(entry.name);
  for (const auto& name : names) {
    const auto at = std::find(known.begin(), known.end(), name) - known.begin();
    if (at == std::ssize(known))
      fail_at("freeze", "there is no layer '{}'{}; layers: {}", printable(name), did_you_mean(name, known),
              join(known));
    auto& entry = layers_[std::size_t(at)];
    entry.frozen = true;
    for (const int index : entry.parameters) parameters_[std::size_t(index)].spec.trainable = false;
  }
  if (trainable_parameter_count() == 0) fail_at("freeze", "leaves nothing to train");
  place();
}

std::optional<float> Model::mask_value() const {
  for (const auto& entry : layers_) {
    const auto options = entry.layer->options();
    if (options.part() == MaskingOptions::part) return float(options.as<MaskingOptions>().mask_value);
    if (options.part() != RandomCropOptions::part) break;  // (which leaves values as they are)
  }
  return std::nullopt;
}

std::int64_t Model::parameter_count() const {
  std::int64_t n = 0;
  for (const auto& s : parameters_) n += s.spec.shape.size();
  return n;
}

std::int64_t Model::trainable_parameter_count() const {
  std::int64_t n = 0;
  for (const auto& s : parameters_) n += s.spec.trainable ? s.spec.shape.size() : 0;
  return n;
}

config::Node Model::dump() const {
  auto node = config::Node::sequence();
  for (const auto& e : layers_)
    if (!e.within) node.items.push_back(e.layer->dump());
  return node;
}

std::string Model::array_name(int array) const {
  return array == 0 ? "input" : layers_[std::size_t(array) - 1].name;
}

std::string Model::summary() const {
  struct Row {
    std::string layer, shape, count;
  };
  std::vector<Row> rows{{"Layer (type)", "Output shape", "Param #"}};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto& e = layers_[i];
    std::int64_t n = 0;
    for (const int index : e.parameters) n += parameters_[std::size_t(index)].spec.shape.size();
    std::string shape = e.output.str();
    auto shown = fmt::format("{} ({})", e.name, e.layer->keras_class());
    if (e.other >= 0)
      shown += fmt::format(" of {}, {}", array_name(e.from), array_name(e.other));
    else if (e.from != int(i))
      shown += " of " + array_name(e.from);
    rows.push_back({std::move(shown), "(None, " + shape.substr(1), grouped(n)});
    if (rows.back().shape.ends_with(",)")) rows.back().shape.replace(rows.back().shape.size() - 2, 2, ")");
  }
  std::size_t a = 0, b = 0, c = 0;
  for (const auto& r : rows)
    a = std::max(a, r.layer.size()), b = std::max(b, r.shape.size()), c = std::max(c, r.count.size());
  const std::string rule(a + b + c + 4, '-');
  std::string out = rule + "\n";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out += fmt::format("{:<{}}  {:<{}}  {:>{}}\n", rows[i].layer, a, rows[i].shape, b, rows[i].count, c);
    if (i == 0) out += rule + "\n";
  }
  out += fmt::format("{}\nParameters: {} ({} trainable, {} not)\n", rule, grouped(parameter_count()),
                     grouped(trainable_parameter_count()),
                     grouped(parameter_count() - trainable_parameter_count()));
  return out;
}

void Model::initialise(std::uint64_t seed, float* arena) const {
  std::fill_n(arena, arena_size_, 0.0f);
  for (std::size_t i = 0; i < parameters_.size(); ++i)
    nn::initialise(parameters_[i].spec, seed, std::uint32_t(i),
                   {arena + parameters_[i].offset, std::size_t(parameters_[i].spec.shape.size())});
}

}  // namespace timbre::nn
