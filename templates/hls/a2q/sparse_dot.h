// SPDX-License-Identifier: Apache-2.0
// Dot products of which only nonzero weights are executed, by a schedule of CYCLES steps a window;
// see a2q_dot_sparse.sv for what its words and the map of the beats hold.
#ifndef A2Q_SPARSE_DOT_H
#define A2Q_SPARSE_DOT_H

#include <ap_int.h>
#include <hls_stream.h>

#include "lanes.h"
#include "packed.h"
#include "shadow.h"

namespace a2q {

// What a lane gives: an entry times a weight, or plus or minus the entry times a power of two.
template <class config>
typename config::product_t sparse_term(const typename config::x_t &x,
                                       const typename config::factor_t &factor) {
#pragma HLS INLINE
  if (config::products) return x * typename config::weight_t(factor);
  const typename config::product_t shifted = typename config::product_t(x)
                                             << (factor.to_uint() >> 1);
  if (factor[0]) return -shifted;
  return shifted;
}

// One pass of the inner loop fills an entry of the next window and executes a step of this one.
// config: types x_t, weight_t, entry_t, factor_t, place_t, product_t, tree_t, acc_t; numbers pe, lanes,
// fill, count, cycles, steps, entries, windows; bool products.
template <class config, int SOURCE, int SINK>
void sparse_dot(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink,
                const packed_t (&entries)[config::cycles][config::entries_packed],
                const packed_t (&factors)[config::cycles][config::factors_packed],
                const packed_t (&ends)[config::cycles][config::ends_packed],
                const packed_t (&banks)[config::count][config::banks_packed],
                const packed_t (&slots)[config::count][config::slots_packed]) {
#pragma HLS INLINE off
#pragma HLS ARRAY_RESHAPE variable=entries type=complete dim=2
#pragma HLS ARRAY_RESHAPE variable=factors type=complete dim=2
  typename config::x_t bank[config::pe * config::lanes][2][config::entries];
#pragma HLS ARRAY_PARTITION variable=bank type=complete dim=1
  typename config::acc_t accumulator[config::pe];
#pragma HLS ARRAY_PARTITION variable=accumulator type=complete
  bool first = true;
#ifndef __SYNTHESIS__
  int64_t shadow[config::pe] = {};
#endif

idle_lanes:
  for (unsigned lane = 0; lane < config::pe * config::lanes; ++lane) {
#pragma HLS UNROLL
    bank[lane][0][config::idle] = 0;
    bank[lane][1][config::idle] = 0;
  }

windows:
  for (unsigned window = 0; window <= config::windows; ++window) {
  steps:
    for (unsigned step = 0; step < config::steps; ++step) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
#pragma HLS DEPENDENCE variable=bank type=inter false
      if (window < config::windows && step < config::count) {
        const ap_uint<SOURCE> word = source.read();
      codes:
        for (unsigned code = 0; code < config::fill; ++code) {
#pragma HLS UNROLL
          const unsigned place = packed_lane<typename config::place_t>(banks[step], code).to_uint();
          const unsigned slot = packed_lane<typename config::entry_t>(slots[step], code).to_uint();
        copies:
          for (unsigned pe = 0; pe < config::pe; ++pe) {
#pragma HLS UNROLL
            bank[pe * config::lanes + place][window & 1][slot] =
                get_lane<typename config::x_t>(word, code);
          }
        }
      }
      if (window == 0 || step >= config::cycles) continue;
      const bool last = packed_lane<ap_uint<1> >(ends[step], 0) == 1;
      ap_uint<SINK> sums = 0;
    processing_elements:
      for (unsigned pe = 0; pe < config::pe; ++pe) {
#pragma HLS UNROLL
        typename config::tree_t tree = 0;
#ifndef __SYNTHESIS__
        int64_t shadow_tree = 0;
#endif
      lanes:
        for (unsigned i = 0; i < config::lanes; ++i) {
#pragma HLS UNROLL
          const unsigned lane = pe * config::lanes + i;
          const unsigned entry =
              packed_lane<typename config::entry_t>(entries[step], lane).to_uint();
          const typename config::factor_t factor =
              packed_lane<typename config::factor_t>(factors[step], lane);
          const typename config::product_t term =
              sparse_term<config>(bank[lane][(window - 1) & 1][entry], factor);
          tree += term;
#ifndef __SYNTHESIS__
          shadow_tree += term.to_int64();
          check(config::name(), "adder tree of lane", lane, tree.to_int64(), shadow_tree);
#endif
        }
        accumulator[pe] = (first ? typename config::acc_t(0) : accumulator[pe]) + tree;
        set_lane(sums, pe, accumulator[pe]);
#ifndef __SYNTHESIS__
        shadow[pe] = (first ? 0 : shadow[pe]) + shadow_tree;
        check(config::name(), "accumulator of PE", pe, accumulator[pe].to_int64(), shadow[pe]);
#endif
      }
      if (last) sink.write(sums);
      first = last;
    }
  }
}

}  // namespace a2q

#endif
