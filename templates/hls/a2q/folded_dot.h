// SPDX-License-Identifier: Apache-2.0
// Dot products on an array of PE accumulators times SIMD multipliers, one beat of inputs a cycle.
//
//   y[pass * PE + pe] = sum over step, simd of
//       weights[pass * STEPS + step][pe][simd] * x[step * SIMD + simd]
//
// A frame takes PASSES * STEPS cycles. The input vector is read during the first pass and kept for
// the others; the weight memory is read one word a cycle, every word once a frame, in order.
#ifndef A2Q_FOLDED_DOT_H
#define A2Q_FOLDED_DOT_H

#include <ap_int.h>
#include <hls_stream.h>

#include "lanes.h"
#include "shadow.h"

namespace a2q {

// config: types x_t, weight_t, product_t, tree_t, acc_t; numbers pe, simd, passes, steps.
template <class config, int SOURCE, int SINK>
void folded_dot(
    hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink,
    const typename config::weight_t (&weights)[config::passes * config::steps][config::pe]
                                             [config::simd]) {
#pragma HLS INLINE off
#pragma HLS ARRAY_RESHAPE variable=weights type=complete dim=2
#pragma HLS ARRAY_RESHAPE variable=weights type=complete dim=3

  typedef ap_uint<config::simd * config::x_t::width> beat_t;
  beat_t vector[config::steps];
#pragma HLS BIND_STORAGE variable=vector type=ram_2p impl=lutram
  typename config::acc_t accumulator[config::pe];
#pragma HLS ARRAY_PARTITION variable=accumulator type=complete
#ifndef __SYNTHESIS__
  int64_t shadow[config::pe] = {};
#endif
  unsigned address = 0;

passes:
  for (unsigned pass = 0; pass < config::passes; ++pass) {
  steps:
    for (unsigned step = 0; step < config::steps; ++step) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      beat_t word;
      if (pass == 0) {
        word = source.read();
        vector[step] = word;
      } else {
        word = vector[step];
      }
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
          const typename config::x_t x = get_lane<typename config::x_t>(word, simd);
          const typename config::product_t product = weights[address][pe][simd] * x;
          tree += product;
#ifndef __SYNTHESIS__
          shadow_tree += weights[address][pe][simd].to_int64() * x.to_int64();
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
      ++address;
    }
  }
}

}  // namespace a2q

#endif
