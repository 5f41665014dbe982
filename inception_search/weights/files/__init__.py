"""One reader per format of weight file; each runs nothing that a file names and checks sizes before it reads."""
