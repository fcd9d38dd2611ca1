// SPDX-License-Identifier: Apache-2.0
// Lanes of a stream word: lane i of type T occupies bits [(i + 1) * T::width - 1, i * T::width].
#ifndef A2Q_LANES_H
#define A2Q_LANES_H

#include <ap_int.h>

namespace a2q {

// Lane of a word; signed lanes are two's complement in exactly their own bits.
template <class T, int WIDTH>
T get_lane(const ap_uint<WIDTH> &word, unsigned lane) {
#pragma HLS INLINE
  return T(word.range((lane + 1) * T::width - 1, lane * T::width));
}

template <class T, int WIDTH>
void set_lane(ap_uint<WIDTH> &word, unsigned lane, const T &value) {
#pragma HLS INLINE
  word.range((lane + 1) * T::width - 1, lane * T::width) = value;
}

template <class T, int WIDTH, unsigned LANES>
void unpack(const ap_uint<WIDTH> &word, T (&lanes)[LANES]) {
#pragma HLS INLINE
unpack_lanes:
  for (unsigned lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
    lanes[lane] = get_lane<T>(word, lane);
  }
}

// Word of all lanes; the pad bits above them are zero.
template <int WIDTH, class T, unsigned LANES>
ap_uint<WIDTH> pack(const T (&lanes)[LANES]) {
#pragma HLS INLINE
  ap_uint<WIDTH> word = 0;
pack_lanes:
  for (unsigned lane = 0; lane < LANES; ++lane) {
#pragma HLS UNROLL
    set_lane(word, lane, lanes[lane]);
  }
  return word;
}

}  // namespace a2q

#endif
