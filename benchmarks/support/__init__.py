"""What every suite uses: rounds, reports, charts, servers, load."""
