"""Small spaces for searches that take no time."""

TINY = """\
schema: inception-search/space
version: 1
name: tiny
about: One small module; two modules of Inception-v1 are points of it.
contains:
  v1_3a: {module: inception_v1.inception_3a, width: 0.0625}
  v1_4a: {module: inception_v1.inception_4a, width: 0.0625}
network:
  name: tiny
  input: 1x8x8
  blocks:
    module:
      block:
        body:
          concat:
            - conv: {kernel: 1x1, width: {$int: [4, 16, 4]}}
            - - conv: {kernel: 1x1, width: {$int: [4, 16, 4]}}
              - conv: {kernel: 3x3, width: {$int: [4, 16, 4]}}
            - [1x1 4, 5x5 4]
            - [max 3x3, 1x1 4]
  stages:
    stem: 3x3 8 s2
    module: module
  head: {pool: avg, classes: 10}
"""

THREE_POINTS = """\
schema: inception-search/space
version: 1
name: three
network:
  name: three
  input: 1x8x8
  stages:
    stem:
      conv: {kernel: 3x3, width: {$choice: [4, 8, 12]}, stride: 2}
  head: {pool: avg, classes: 10}
"""
