#include "nn/model.hpp"

#include <algorithm>
#include <map>

#include "config/schema.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/initialiser.hpp"

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
  std::map<std::string, int> used;
  Shape shape = input;
  for (std::size_t i = 0; i < reader.node().items.size(); ++i) {
    const auto choice = reader.item(i).choice("layer", LayerRegistry::instance().names());
    const config::Reader options = choice.options();
    Entry entry;
    entry.layer = LayerRegistry::instance().find(choice.name)->parse(options, classes);
    if (regularisation.dropout) entry.layer->set_dropout(*regularisation.dropout);
    entry.name = snake_case(entry.layer->keras_class());
    if (const int n = used[entry.name]++; n > 0) entry.name += "_" + std::to_string(n);
    entry.input = shape;
    try {
      entry.output = shape = entry.layer->infer(shape);
      for (auto& spec : entry.layer->parameters(entry.input)) {
        const Penalty global{regularisation.l1, regularisation.l2};
        const Penalty penalty = spec.penalty ? *spec.penalty : spec.global_penalty ? global : Penalty{};
        if (spec.shape.size() > most_parameters) fail_request("has more than 2^31 parameters");
        entry.parameters.push_back(int(m.parameters_.size()));
        m.parameters_.push_back({int(i), std::move(spec), 0, penalty});
      }
    } catch (const RequestError& e) {
      options.fail(e.what());
    }
    m.layers_.push_back(std::move(entry));
    if (m.parameter_count() > most_parameters) options.fail("the model has more than 2^31 parameters");
    if (shape.size() > most_parameters) options.fail("its output " + shape.str() + " is too large");
  }
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
  for (const auto& e : layers_) node.items.push_back(e.layer->dump());
  return node;
}

std::string Model::summary() const {
  struct Row {
    std::string layer, shape, count;
  };
  std::vector<Row> rows{{"Layer (type)", "Output shape", "Param #"}};
  for (const auto& e : layers_) {
    std::int64_t n = 0;
    for (const int index : e.parameters) n += parameters_[std::size_t(index)].spec.shape.size();
    std::string shape = e.output.str();
    rows.push_back(
        {fmt::format("{} ({})", e.name, e.layer->keras_class()), "(None, " + shape.substr(1), grouped(n)});
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
