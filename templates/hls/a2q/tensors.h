// SPDX-License-Identifier: Apache-2.0
// Kernels without weights: pools, sums, joins, forks and the place of the largest code.
#ifndef A2Q_TENSORS_H
#define A2Q_TENSORS_H

#include <ap_int.h>
#include <hls_stream.h>

#include "lanes.h"
#include "shadow.h"

namespace a2q {

// One step of a pool: the larger of two codes, or their sum; the first code as it is.
template <class config>
typename config::y_t combined(bool first, const typename config::y_t &before,
                              const typename config::x_t &x) {
#pragma HLS INLINE
  const typename config::y_t y = x;
  if (first) return y;
  if (config::sum) return before + y;
  return before > y ? before : y;
}

// Pool of windows side by side; partial results of one row of windows are kept.
// config: types x_t, y_t; numbers lanes, height, width, words, kernel_y, kernel_x; bool sum.
template <class config, int SOURCE, int SINK>
void pool(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  typename config::y_t partial[config::width / config::kernel_x * config::words][config::lanes];
#pragma HLS ARRAY_RESHAPE variable=partial type=complete dim=2
rows:
  for (unsigned y = 0; y < config::height; ++y) {
  columns:
    for (unsigned x = 0; x < config::width; ++x) {
    words:
      for (unsigned part = 0; part < config::words; ++part) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
        const ap_uint<SOURCE> word = source.read();
        const unsigned ky = y % config::kernel_y, kx = x % config::kernel_x;
        const unsigned place = x / config::kernel_x * config::words + part;
        ap_uint<SINK> results = 0;
      lanes:
        for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
          const typename config::y_t y_lane =
              combined<config>(ky == 0 && kx == 0, partial[place][lane],
                               get_lane<typename config::x_t>(word, lane));
          partial[place][lane] = y_lane;
          set_lane(results, lane, y_lane);
        }
        if (ky == config::kernel_y - 1 && kx == config::kernel_x - 1) sink.write(results);
      }
    }
  }
}

// The maximum or the sum of every LENGTH beats. config: types x_t, y_t; numbers lanes, length,
// results; bool sum.
template <class config, int SOURCE, int SINK>
void reduce(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  typename config::y_t partial[config::lanes];
#pragma HLS ARRAY_PARTITION variable=partial type=complete
results:
  for (unsigned result = 0; result < config::results; ++result) {
  beats:
    for (unsigned beat = 0; beat < config::length; ++beat) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      const ap_uint<SOURCE> word = source.read();
      ap_uint<SINK> reduced = 0;
    lanes:
      for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
        partial[lane] = combined<config>(beat == 0, partial[lane],
                                         get_lane<typename config::x_t>(word, lane));
        set_lane(reduced, lane, partial[lane]);
      }
      if (beat == config::length - 1) sink.write(reduced);
    }
  }
}

// Sums of two streams, lane by lane. config: types left_t, right_t, y_t; numbers lanes, beats.
template <class config, int LEFT, int RIGHT, int SINK>
void add(hls::stream<ap_uint<LEFT> > &left, hls::stream<ap_uint<RIGHT> > &right,
         hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
beats:
  for (unsigned beat = 0; beat < config::beats; ++beat) {
#pragma HLS PIPELINE II=1
    const ap_uint<LEFT> a = left.read();
    const ap_uint<RIGHT> b = right.read();
    ap_uint<SINK> sums = 0;
  lanes:
    for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
      const typename config::left_t x = get_lane<typename config::left_t>(a, lane);
      const typename config::right_t z = get_lane<typename config::right_t>(b, lane);
      const typename config::y_t sum = x + z;
#ifndef __SYNTHESIS__
      check(config::name(), "sum of lane", lane, sum.to_int64(), x.to_int64() + z.to_int64());
#endif
      set_lane(sums, lane, sum);
    }
    sink.write(sums);
  }
}

// For every pixel FIRST beats of one stream, then SECOND of the other.
// config: types left_t, right_t, y_t; numbers lanes, first, second, pixels.
template <class config, int LEFT, int RIGHT, int SINK>
void concat(hls::stream<ap_uint<LEFT> > &left, hls::stream<ap_uint<RIGHT> > &right,
            hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
pixels:
  for (unsigned pixel = 0; pixel < config::pixels; ++pixel) {
  beats:
    for (unsigned beat = 0; beat < config::first + config::second; ++beat) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      const bool from_left = beat < config::first;
      ap_uint<LEFT> a = 0;
      ap_uint<RIGHT> b = 0;
      if (from_left) a = left.read();
      if (!from_left) b = right.read();
      ap_uint<SINK> codes = 0;
    lanes:
      for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
        const typename config::y_t x = get_lane<typename config::left_t>(a, lane);
        const typename config::y_t z = get_lane<typename config::right_t>(b, lane);
        set_lane(codes, lane, from_left ? x : z);
      }
      sink.write(codes);
    }
  }
}

// One stream for two readers. config: number beats.
template <class config, int SOURCE, int FIRST, int SECOND>
void fork(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<FIRST> > &first,
          hls::stream<ap_uint<SECOND> > &second) {
#pragma HLS INLINE off
beats:
  for (unsigned beat = 0; beat < config::beats; ++beat) {
#pragma HLS PIPELINE II=1
    const ap_uint<SOURCE> word = source.read();
    first.write(word);
    second.write(word);
  }
}

// The place of the largest of PERIOD * LANES codes, of equal ones the first.
// config: types x_t, y_t; numbers lanes, period, pixels.
template <class config, int SOURCE, int SINK>
void arg_max(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  typename config::x_t best = 0;
  typename config::y_t place = 0;
pixels:
  for (unsigned pixel = 0; pixel < config::pixels; ++pixel) {
  beats:
    for (unsigned beat = 0; beat < config::period; ++beat) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      const ap_uint<SOURCE> word = source.read();
    lanes:
      for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
        const typename config::x_t x = get_lane<typename config::x_t>(word, lane);
        if ((beat == 0 && lane == 0) || x > best) {
          best = x;
          place = beat * config::lanes + lane;
        }
      }
      ap_uint<SINK> code = 0;
      set_lane(code, 0, place);
      if (beat == config::period - 1) sink.write(code);
    }
  }
}

}  // namespace a2q

#endif
