-- Time zones and policies of schedules, and what became of their times.

