// Nothing to call: the library is loaded into a program whose clock is to be wrong.
