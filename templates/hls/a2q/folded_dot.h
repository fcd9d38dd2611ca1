// SPDX-License-Identifier: Apache-2.0
// Dot products on an array of PE accumulators times SIMD multipliers, one beat of inputs a cycle.
//
//   sums[pe] = sum over a pass' steps, and simd, of
//       weights[word][pe * SIMD + simd] * x[step][pe / (PE / GROUPS) * SIMD + simd]
//
// Every window has WORDS beats, one for each word of the weight memory, in order; the sums leave
// with the last of STEPS beats. What comes before repeats a window for its passes.
#ifndef A2Q_FOLDED_DOT_H
#define A2Q_FOLDED_DOT_H

#include <ap_int.h>
#include <hls_stream.h>

#include "lanes.h"
#include "packed.h"
#include "shadow.h"

namespace a2q {

// config: types x_t, weight_t, product_t, tree_t, acc_t; numbers pe, simd, groups, steps, words,
// packed, windows.
template <class config, int SOURCE, int SINK>
void folded_dot(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink,
                const packed_t (&weights)[config::words][config::packed]) {
#pragma HLS INLINE off
#pragma HLS ARRAY_RESHAPE variable=weights type=complete dim=2

  typename config::acc_t accumulator[config::pe];
#pragma HLS ARRAY_PARTITION variable=accumulator type=complete
#ifndef __SYNTHESIS__
  int64_t shadow[config::pe] = {};
#endif

  unsigned step = 0;

windows:
  for (unsigned window = 0; window < config::windows; ++window) {
  words:
    for (unsigned address = 0; address < config::words; ++address) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      const ap_uint<SOURCE> word = source.read();
      ap_uint<SINK> sums = 0;

    processing_elements:
      for (unsigned pe = 0; pe < config::pe; ++pe) {
#pragma HLS UNROLL
        typename config::tree_t tree = 0;
#ifndef __SYNTHESIS__
        int64_t shadow_tree = 0;
#endif
      products:
        for (unsigned simd = 0; simd < config::simd; ++simd) {
#pragma HLS UNROLL
          const unsigned group = pe / (config::pe / config::groups);
          const typename config::x_t x =
              get_lane<typename config::x_t>(word, group * config::simd + simd);
          const typename config::weight_t weight =
              packed_lane<typename config::weight_t>(weights[address], pe * config::simd + simd);
          const typename config::product_t product = weight * x;
          tree += product;
#ifndef __SYNTHESIS__
          shadow_tree += weight.to_int64() * x.to_int64();
          check(config::name(), "adder tree of PE", pe, tree.to_int64(), shadow_tree);
#endif
        }
        const typename config::acc_t before =
            step == 0 ? typename config::acc_t(0) : accumulator[pe];
        accumulator[pe] = before + tree;
        set_lane(sums, pe, accumulator[pe]);
#ifndef __SYNTHESIS__
        shadow[pe] = (step == 0 ? 0 : shadow[pe]) + shadow_tree;
        check(config::name(), "accumulator of PE", pe, accumulator[pe].to_int64(), shadow[pe]);
#endif
      }
      if (step == config::steps - 1) sink.write(sums);
      step = step == config::steps - 1 ? 0 : step + 1;
    }
  }
}

}  // namespace a2q

#endif
