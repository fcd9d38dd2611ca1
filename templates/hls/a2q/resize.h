// SPDX-License-Identifier: Apache-2.0
// Width converters of streams; the wider word holds RATIO narrower ones, the first one lowest.
#ifndef A2Q_RESIZE_H
#define A2Q_RESIZE_H

#include <ap_int.h>
#include <hls_stream.h>

namespace a2q {

// RATIO beats become one. config: numbers narrow_bits, ratio, wide_beats.
template <class config, int SOURCE, int SINK>
void resize_up(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  ap_uint<SINK> wide = 0;
wide_beats:
  for (unsigned beat = 0; beat < config::wide_beats; ++beat) {
  narrow_beats:
    for (unsigned part = 0; part < config::ratio; ++part) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      const ap_uint<config::narrow_bits> narrow = source.read();
      wide.range((part + 1) * config::narrow_bits - 1, part * config::narrow_bits) = narrow;
      if (part == config::ratio - 1) sink.write(wide);
    }
  }
}

// One beat becomes RATIO, REPEATS times over. config: numbers narrow_bits, ratio, repeats, wide_beats.
template <class config, int SOURCE, int SINK>
void resize_down(hls::stream<ap_uint<SOURCE> > &source, hls::stream<ap_uint<SINK> > &sink) {
#pragma HLS INLINE off
  ap_uint<SOURCE> wide = 0;
wide_beats:
  for (unsigned beat = 0; beat < config::wide_beats; ++beat) {
  narrow_beats:
    for (unsigned step = 0; step < config::ratio * config::repeats; ++step) {
#pragma HLS LOOP_FLATTEN
#pragma HLS PIPELINE II=1
      if (step == 0) wide = source.read();
      const unsigned part = step % config::ratio;
      const ap_uint<config::narrow_bits> narrow =
          wide.range((part + 1) * config::narrow_bits - 1, part * config::narrow_bits);
      sink.write(narrow);
    }
  }
}

}  // namespace a2q

#endif
