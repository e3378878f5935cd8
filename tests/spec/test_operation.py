"""How often an operation is looked at while it is followed."""

from sendoff.spec.operation import pause_after


def test_an_end_is_seen_within_a_twentieth_of_the_time_and_long_ones_are_looked_at_seldom():
    for length in (0.5, 1.5, 5.0, 30.0, 600.0):
        now, looks = 0.0, 0
        while now < length:
            now += pause_after(now)
            looks += 1
        assert now - length <= max(0.04, length / 20)
        assert looks <= 110 + 2 * length
