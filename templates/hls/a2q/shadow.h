// SPDX-License-Identifier: Apache-2.0
// Shadow accumulators of the C simulation: 64-bit copies that every declared width is held against.
// The proof says that no declared width overflows; the shadows stop a simulation that disproves it.
#ifndef A2Q_SHADOW_H
#define A2Q_SHADOW_H

#ifndef __SYNTHESIS__

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace a2q {

// Stop unless the register of declared width holds what its shadow holds.
inline void check(const char *layer, const char *what, unsigned index, int64_t held,
                  int64_t shadow) {
  if (held == shadow) return;
  std::fprintf(stderr, "a2q: layer %s: overflow: %s %u holds %lld, its shadow %lld\n", layer, what,
               index, static_cast<long long>(held), static_cast<long long>(shadow));
  std::abort();
}

// factor * value(node): a node below the number of inputs is that input, any other is an adder.
struct term {
  unsigned node;
  int64_t factor;
};

struct addition {
  term left;
  term right;
};

// Recompute an adder graph in 64 bits and hold every adder and every output against it.
inline void check_graph(const char *layer, std::vector<int64_t> values,
                        const std::vector<addition> &additions, const std::vector<term> &outputs,
                        const std::vector<int64_t> &sums, const std::vector<int64_t> &results) {
  for (unsigned i = 0; i < additions.size(); ++i) {
    const term &left = additions[i].left;
    const term &right = additions[i].right;
    values.push_back(left.factor * values[left.node] + right.factor * values[right.node]);
    check(layer, "adder", i, sums[i], values.back());
  }
  for (unsigned i = 0; i < outputs.size(); ++i)
    check(layer, "accumulator", i, results[i], outputs[i].factor * values[outputs[i].node]);
}

// Lanes as 64-bit integers.
template <class T, unsigned LANES>
std::vector<int64_t> widened(const T (&lanes)[LANES]) {
  std::vector<int64_t> values;
  for (const T &lane : lanes) values.push_back(lane.to_int64());
  return values;
}

}  // namespace a2q

#endif  // __SYNTHESIS__

#endif
