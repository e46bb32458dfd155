"""A small session in the tallgrass CSV layout: three representatives and a senator."""

VOTES = """vote_id,legislator_slug,vote
v1,rep_a,Yea
v1,rep_b,Nay
v1,rep_c,Absent and Not Voting
v2,rep_a,Nay
v2,rep_b,Present and Passing
v2,rep_c,Yea
s1,sen_x,Yea
"""
ROLLCALLS = """vote_id,chamber,bill_number,motion,vote_type,vote_datetime,bill_title
v1,House,HB 1,Final Action - Passed,Final Action,2025-01-20T00:00:00,"One, and more"
v2,House,HB 2,Final Action - Passed,Final Action,2025-01-21T09:30:00,Two
s1,Senate,SB 1,Final Action - Passed,Final Action,2025-01-22T00:00:00,Three
"""
LEGISLATORS = """name,full_name,slug,chamber,party,district
A,Ann A,rep_a,House,Democrat,1
B,Bob B,rep_b,House,Republican,2
C,Cy C,rep_c,House,Independent,3
X,Xi X,sen_x,Senate,Republican,1
"""
