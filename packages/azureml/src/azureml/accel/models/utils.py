"""FPGA."""
