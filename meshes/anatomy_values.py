"""What make_anatomies.py draws the arteries from: places, courses, diameters, flow rates, and the texts on sources."""

# Flow rates in mL/min. Liver 300 of a common hepatic flow of 400; segments by their shares of the liver's volume.
LIVER_FLOW = 300.0
SEGMENT_SHARE = {1: 0.035, 2: 0.075, 3: 0.095, 4: 0.140, 5: 0.130, 6: 0.090, 7: 0.175, 8: 0.260}
NUMERAL = dict(enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII"), start=1))
BED_FLOW = {
    "gastroduodenal": 88.0,
    "right_gastric": 12.0,
    "left_gastric_stomach": 40.0,
    "splenic": 260.0,
    "superior_mesenteric_distal": 450.0,
}
AORTA_FLOW = 4000.0
BEDS = {
    "gastroduodenal": ("duodenum pancreas and stomach", "portal"),
    "right_gastric": ("stomach", "portal"),
    "left_gastric_stomach": ("stomach and oesophagus", "portal"),
    "splenic": ("spleen pancreas and stomach", "portal"),
    "superior_mesenteric_distal": ("small bowel and right colon", "portal"),
    "aorta_abdominal": ("kidneys hind gut and legs", "systemic"),
}

# Ends of arteries that others start from or that several types share, mm.
PLACE = {
    "aorta_inlet": (26, 66, 8),
    "coeliac_origin": (26, 62, -32),
    "superior_mesenteric_origin": (26, 62, -47),
    "aorta_end": (26, 60, -87),
    "coeliac_end": (24, 44, -39),
    "left_gastric_node": (42, 30, -4),
    "superior_mesenteric_node": (20, 42, -68),
    "gastroduodenal_origin": (4, 10, -50),
    "right_gastric_origin": (1, 6, -36),
    "hepatic_bifurcation": (-2, 3, -21),
    "right_hepatic_bifurcation": (-21, 4, -10),
    "left_hepatic_branching": (13, -6, -7),
    "right_anterior_end": (-36, -12, -3),
    "right_posterior_end": (-39, 16, -6),
    "middle_hepatic_end": (2, -22, 2),
    "left_lateral_end": (32, -17, 5),
}
END = {  # terminals, mm
    "gastroduodenal": (-6, 2, -90),
    "right_gastric": (34, -6, -46),
    "left_gastric_stomach": (44, -2, -30),
    "splenic": (105, 58, 5),
    "superior_mesenteric_distal": (10, 24, -125),
    "accessory_left_hepatic": (46, -4, 28),
    "accessory_right_hepatic": (-60, 10, -46),
    "segment_1": (9, 20, 12),
    "segment_2": (52, -16, 30),
    "segment_3": (56, -42, 10),
    "segment_4": (-12, -40, 18),
    "segment_5": (-54, -36, -38),
    "segment_6": (-68, 20, -42),
    "segment_7": (-60, 36, 24),
    "segment_8": (-48, -24, 38),
}
# Lumen diameters mm at start and end: means of 500 CTs where measured, branches by Murray's law with the flow shares.
DIAMETER = {
    "aorta": (21.9, 21.5),
    "aorta_visceral": (21.5, 20.5),
    "aorta_abdominal": (20.5, 18.0),
    "coeliac": (7.2, 6.9),
    "splenic": (5.6, 5.0),
    "left_gastric": (3.4, 3.2),
    "left_gastric_stomach": (2.4, 2.0),
    "superior_mesenteric": (7.0, 6.6),
    "superior_mesenteric_distal": (6.4, 5.4),
    "common_hepatic": (4.4, 4.2),
    "gastroduodenal": (3.4, 3.0),
    "proper_hepatic": (3.0, 2.95),
    "right_gastric": (1.5, 1.2),
    "proper_hepatic_distal": (2.95, 2.9),
    "right_hepatic": (2.95, 2.85),
    "left_hepatic": (2.55, 2.45),
    "right_anterior": (2.45, 2.35),
    "right_posterior": (2.15, 2.05),
    "middle_hepatic": (1.90, 1.85),
    "left_lateral": (2.00, 1.95),
    "segment_1": (1.20, 1.10),
    "segment_2": (1.50, 1.35),
    "segment_3": (1.65, 1.45),
    "segment_4": (1.85, 1.55),
    "segment_5": (1.75, 1.45),
    "segment_6": (1.50, 1.35),
    "segment_7": (1.90, 1.55),
    "segment_8": (2.15, 1.75),
    "replaced_left_hepatic": (2.3, 2.05),
    "replaced_right_hepatic": (2.95, 2.85),
    "accessory_left_hepatic": (1.8, 1.5),
    "accessory_right_hepatic": (1.9, 1.55),
}
# Where a type's artery carries much more or less than usual, by the type's number.
OTHER_DIAMETER = {
    (4, "common_hepatic"): (3.9, 3.7),
    (4, "proper_hepatic"): (2.4, 2.3),
    (4, "proper_hepatic_distal"): (2.2, 2.1),
    (10, "left_gastric"): (5.2, 5.0),
}
# Way points between start and end, mm, that give an artery its course.
COURSE = {
    "common_hepatic": [(16, 24, -47)],
    "common_hepatic_from_superior_mesenteric": [(12, 24, -64), (6, 14, -58)],
    "common_hepatic_from_left_gastric": [(36, 24, -24), (20, 18, -40)],
    "gastroduodenal": [(2, 3, -62), (-3, 0, -76)],
    "right_gastric": [(10, -2, -46), (22, -6, -50)],
    "splenic": [(50, 50, -28), (78, 60, -12)],
    "left_gastric": [(32, 34, -18)],
    "left_gastric_stomach": [(48, 14, -14)],
    "superior_mesenteric": [(19, 47, -54)],
    "superior_mesenteric_distal": [(16, 30, -90)],
    "replaced_left_hepatic": [(36, 14, 2), (32, -2, 3)],
    "accessory_left_hepatic": [(40, 14, 8), (42, 0, 16)],
    "replaced_right_hepatic": [(6, 32, -52), (-8, 20, -28)],
    "accessory_right_hepatic": [(4, 34, -54), (-18, 24, -30), (-44, 22, -26)],
    "right_hepatic": [(-11, 5, -15)],
    "left_hepatic": [(6, -1, -15)],
    "segment_1": [(12, 7, -1)],
    "segment_1_from_bifurcation": [(4, 8, -6)],
    "middle_hepatic_from_bifurcation": [(4, -8, -9)],
    "segment_2": [(44, -15, 16)],
    "segment_3": [(45, -30, 6)],
    "segment_5": [(-45, -26, -16)],
    "segment_6": [(-54, 20, -20)],
    "segment_7": [(-50, 26, 6)],
    "segment_8": [(-43, -18, 16)],
}


# Share of a segment's flow that an accessory artery brings [assumed]; the rest comes by the ordinary way.
ACCESSORY = {"accessory_left_hepatic": (2, 0.6), "accessory_right_hepatic": (6, 0.6)}

HEADER = """\
# {title}
# Found in {share} of patients (Michels 1966, Covey 2002, Loeschner 2015). Written by meshes/make_anatomies.py.
# Patient frame of the standard liver: x to the patient's left, y to the back, z up, origin at the porta hepatis.
# Diameters are of the lumen in vivo, at mean arterial pressure.
# {gall}
"""
GALL = "The cystic artery is left out: the gall bladder is removed when a pump is implanted."
MARK = "found and derived; lengths and course assumed"
SOURCE = """\
source: >-
  Lumen diameters: means of 500 CTs (Bilir 2021 Int J Morphol: aorta 21.95, coeliac 7.2, common hepatic 4.3, proper
  hepatic 2.93, right 2.92, left 2.51 mm); branches by Murray's law with the segments' flow shares [derived], off-target
  arteries textbook values [wk].
  Lengths: along the drawn course [derived], within surgical ranges of 30-40 mm (common hepatic), 20-40 mm (proper,
  right and left hepatic) and 30-50 mm (gastroduodenal) [wk?].
  Wave speed: 6-10 m/s in hepatic arteries of published 1D networks (ADAN56 of Blanco 2015, 55-artery model), stiffer
  towards the periphery [derived]{trunk_wall}.
  Flow shares: liver segments by volume, {flows} [assumed].
  Course: drawn for the standard liver after surgical anatomy [assumed].
"""
TRUNK_WALL = "; aorta 5 m/s [wk]"
FLOWS = "a quarter of the common hepatic flow of 400 mL/min (George 1979) to the\n  gastroduodenal and right gastric"
TRUNK_FLOWS = (
    "300 mL/min in all; gastroduodenal 88, right gastric 12, left gastric 40,\n  splenic 260, superior mesenteric 450"
    " mL/min; of 4 L/min in the aorta above the coeliac trunk (three quarters of\n  the cardiac output)"
)
