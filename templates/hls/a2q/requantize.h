// SPDX-License-Identifier: Apache-2.0
// Requantization: monotone integer step functions from accumulators to codes, LANES channels a
// beat; channel = beat mod PERIOD * LANES + lane. Constants are packed, a row for each beat of a pixel.
#ifndef A2Q_REQUANTIZE_H
#define A2Q_REQUANTIZE_H

#include <ap_int.h>
#include <hls_stream.h>

#include "lanes.h"
#include "packed.h"
#include "shadow.h"

namespace a2q {

// y = least + #{k : acc >= thresholds[channel][k]}, all comparisons in parallel.
// config: types acc_t, compare_t, y_t, count_t; numbers lanes, beats, period, steps, least.
template <class config, int SOURCE, int SINK>
void requantize_compare(
    hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink,
    const packed_t (&thresholds)[config::period][config::thresholds_packed]) {
#pragma HLS INLINE off
#pragma HLS ARRAY_RESHAPE variable=thresholds type=complete dim=2
  unsigned place = 0;
beats:
  for (unsigned beat = 0; beat < config::beats; ++beat) {
#pragma HLS PIPELINE II=1
    const ap_uint<SOURCE> word = source.read();
    ap_uint<SINK> codes = 0;
  lanes:
    for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
      const typename config::compare_t acc = get_lane<typename config::acc_t>(word, lane);
      typename config::count_t count = 0;
    comparisons:
      for (unsigned k = 0; k < config::steps; ++k) {
#pragma HLS UNROLL
        const typename config::compare_t threshold = packed_lane<typename config::compare_t>(
            thresholds[place], lane * config::steps + k);
        if (acc >= threshold) ++count;
      }
      set_lane(codes, lane, typename config::y_t(count + config::least));
    }
    sink.write(codes);
    place = place == config::period - 1 ? 0 : place + 1;
  }
}

// clip(floor(sum / 2**shift)) as a code.
template <class config>
typename config::y_t shifted(const typename config::sum_t &sum, const ap_uint<6> &shift) {
#pragma HLS INLINE
  const typename config::sum_t floor = sum >> shift.to_uint();
  if (floor < config::least) return config::least;
  if (floor > config::greatest) return config::greatest;
  return floor;
}

// y = clip(floor((acc + addend) / 2**shift)), addend and shift of every channel.
// config: types acc_t, addend_t, sum_t, y_t; numbers lanes, beats, period, least, greatest.
template <class config, int SOURCE, int SINK>
void requantize_shift(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink,
                      const packed_t (&addend)[config::period][config::addend_packed],
                      const packed_t (&shift)[config::period][config::shift_packed]) {
#pragma HLS INLINE off
#pragma HLS ARRAY_RESHAPE variable=addend type=complete dim=2
#pragma HLS ARRAY_RESHAPE variable=shift type=complete dim=2
  unsigned place = 0;
beats:
  for (unsigned beat = 0; beat < config::beats; ++beat) {
#pragma HLS PIPELINE II=1
    const ap_uint<SOURCE> word = source.read();
    ap_uint<SINK> codes = 0;
  lanes:
    for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
      const typename config::acc_t acc = get_lane<typename config::acc_t>(word, lane);
      const typename config::addend_t plus =
          packed_lane<typename config::addend_t>(addend[place], lane);
      const typename config::sum_t sum = acc + plus;
#ifndef __SYNTHESIS__
      check(config::name(), "sum of lane", lane, sum.to_int64(),
            acc.to_int64() + plus.to_int64());
#endif
      set_lane(codes, lane, shifted<config>(sum, packed_lane<ap_uint<6> >(shift[place], lane)));
    }
    sink.write(codes);
    place = place == config::period - 1 ? 0 : place + 1;
  }
}

// y = clip(floor((multiplier * acc + addend) / 2**shift)), all three of every channel.
// config: types acc_t, multiplier_t, addend_t, sum_t, y_t; numbers lanes, beats, period, least, greatest.
template <class config, int SOURCE, int SINK>
void requantize_multiply(
    hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink,
    const packed_t (&multiplier)[config::period][config::multiplier_packed],
    const packed_t (&addend)[config::period][config::addend_packed],
    const packed_t (&shift)[config::period][config::shift_packed]) {
#pragma HLS INLINE off
#pragma HLS ARRAY_RESHAPE variable=multiplier type=complete dim=2
#pragma HLS ARRAY_RESHAPE variable=addend type=complete dim=2
#pragma HLS ARRAY_RESHAPE variable=shift type=complete dim=2
  unsigned place = 0;
beats:
  for (unsigned beat = 0; beat < config::beats; ++beat) {
#pragma HLS PIPELINE II=1
    const ap_uint<SOURCE> word = source.read();
    ap_uint<SINK> codes = 0;
  lanes:
    for (unsigned lane = 0; lane < config::lanes; ++lane) {
#pragma HLS UNROLL
      const typename config::acc_t acc = get_lane<typename config::acc_t>(word, lane);
      const typename config::multiplier_t times =
          packed_lane<typename config::multiplier_t>(multiplier[place], lane);
      const typename config::addend_t plus =
          packed_lane<typename config::addend_t>(addend[place], lane);
      const typename config::sum_t sum = acc * times + plus;
#ifndef __SYNTHESIS__
      check(config::name(), "sum of lane", lane, sum.to_int64(),
            acc.to_int64() * times.to_int64() + plus.to_int64());
#endif
      set_lane(codes, lane, shifted<config>(sum, packed_lane<ap_uint<6> >(shift[place], lane)));
    }
    sink.write(codes);
    place = place == config::period - 1 ? 0 : place + 1;
  }
}

}  // namespace a2q

#endif
