// The categories of the invented retailer. All brands are made up.

extension SampleCategory {
    static let all: [SampleCategory] = devices + household + hobby + daily

    private static let devices = [
        SampleCategory(
            "phones", share: 180, popularity: 60, reach: 900, facing: 4, basket: 1, .variant,
            "1 2 3",
            """
            AST5G=Aster 5G|ASTPRO=Aster Pro|ASTLITE=Aster Lite|CORVID=Corvid 12|\
            CORVIDS=Corvid 12 Slim|HELIO=Helio One|HELIOX=Helio X|NIMBUS=Nimbus 3|\
            NIMBUSF=Nimbus Fold|PEBBLE=Pebble Senior
            """, "128=128 GB|256=256 GB|512=512 GB",
            "MID=midnight|SNW=snow|SAGE=sage|COR=coral|GRA=graphite|SKY=sky blue"),
        SampleCategory(
            "tablets", share: 110, popularity: 45, reach: 800, facing: 3, basket: 1, .variant,
            "1 2 3",
            "FOLIO=Folio 8|FOLIOT=Folio 11|SLATE=Slate Kids|SLATEP=Slate Paper|QUILL=Quill",
            "64=64 GB|128=128 GB|256=256 GB|512=512 GB",
            "WF-SIL=Wi-Fi, silver|WF-GRA=Wi-Fi, graphite|LTE-SIL=LTE, silver|LTE-GRA=LTE, graphite"),
        SampleCategory(
            "laptops", share: 150, popularity: 30, reach: 700, facing: 2, basket: 1, .variant,
            "1, 2, 3",
            """
            LUMA=Lumen 13"|LUMB=Lumen 14"|LUMC=Lumen 16"|FORA=Forge 15" gaming|\
            FORB=Forge 17" gaming|KITE=Kite 11"|KITEX=Kite 13" 2-in-1
            """, "8=8 GB/256 GB|16=16 GB/512 GB|24=24 GB/1 TB|32=32 GB/1 TB|64=64 GB/2 TB",
            "SIL=silver|BLK=black|BLU=blue"),
        SampleCategory(
            "tv-audio", share: 200, popularity: 40, reach: 650, facing: 2, basket: 1, .model,
            "2 1, 3",
            """
            TV=43" 4K television|TV=50" 4K television|TV=55" OLED television|\
            TV=65" OLED television|TV=75" television|SB=soundbar 3.1|SP=wireless speaker|\
            HP=headphones, noise cancelling|EB=ear buds|TT=turntable
            """, "Vista|Auralis|Bexley|Torvald|Mirage|Okto|Sono/R|Ardent|Lyra|Ponder",
            "EU=black|CH=white"),
        SampleCategory(
            "games", share: 180, popularity: 70, facing: 6, basket: 2, .digits, "1 for 2, 3",
            """
            Harbour of Ash|Skylark Rally 4|Tiny Foundry|The Hollow Mile|Pixel Orchard|Night Courier|\
            Kingdom & Kettle|Ice Line '26|Moth|Deep Survey|Copper Crown|Last Tram Home
            """, "Orbit 5|Switchback|Nova X|PC|Pocket Orbit", "standard edition|deluxe edition|code"
        ),
        SampleCategory(
            "cameras", share: 100, popularity: 12, reach: 450, facing: 2, basket: 1, .model,
            "2 1 3",
            """
            CAM=mirrorless camera|CAM=compact camera|ACT=action camera|LEN=lens 35 mm f/1.8|\
            LEN=lens 24–70 mm f/2.8|TRI=tripod|BAG=camera bag 10 l
            """, "Vireo|Kestrel|Halden|Nadir|Optima", "A=black|B=titanium|C=sand"),
    ]

    private static let household = [
        SampleCategory(
            "small-appliances", share: 220, popularity: 35, facing: 4, basket: 2, .variant,
            "2 1, 3",
            """
            KET=kettle 1.7 l|TOA=toaster|ESP=espresso machine|BLE=blender|FRY=air fryer 5 l|\
            IRO=steam iron|VAC=vacuum cleaner|ROB=robot vacuum|HAI=hair dryer|SHA=shaver|\
            RIC=rice cooker|WAF=waffle iron
            """, "BRX=Brix|MOR=Morrow|TEL=Tellus|CAS=Casolare|ÅSK=Åskar",
            "STE=steel|BLK=black|WHT=white|RED=red"),
        SampleCategory(
            "large-appliances", share: 120, popularity: 8, reach: 400, facing: 1, basket: 1,
            .variant, "2 1, 3",
            """
            WAS=washing machine 8 kg|DRY=heat pump dryer 8 kg|DIS=dishwasher 60 cm|\
            FRI=fridge-freezer 350 l|FRE=freezer 200 l|OVE=oven, built in|HOB=induction hob
            """, "TEL=Tellus|NOR=Nordhavn|CAS=Casolare|EIS=Eisvogel|BRX=Brix|VAL=Valmer",
            "WHT=white|STE=steel|BLK=black"),
        SampleCategory(
            "kitchen", share: 260, popularity: 40, facing: 6, basket: 4, .variant, "1 2, 3",
            """
            PAN=Frying pan|POT=Stock pot|SAU=Saucepan|WOK=Wok|RÖSTI=Rösti pan|CRÊPE=Crêpe pan|\
            KNI=Chef's knife|BRD=Chopping board|BOW=Mixing bowl|JUG=Measuring jug|\
            TIN=Baking tin, fluted|GRA=Grater|MUG=Mug "Łódź"
            """, "STE=steel|IRO=cast iron|CER=ceramic|COP=copper|ENA=enamel",
            "S=small|M=medium|L=large|SET=set of 3"),
        SampleCategory(
            "furniture", share: 200, popularity: 10, reach: 350, facing: 1, basket: 2, .variant,
            "1 2, 3",
            """
            SOF=Sofa, 2/3 seats|ARM=Armchair|TAB=Dining table|DES=Desk 120/60 cm|CHA=Chair|\
            STO=Stool|BED=Bed 160/200 cm|WAR=Wardrobe|SHE=Shelf, 5 boards|SID=Sideboard|\
            NIG=Bedside table
            """, "LIND=Lind|ELM=Elm|FJORD=Fjord|CASA=Casa|ATELIER=Atelier",
            "OAK=oak|WAL=walnut|WHT=white|BLK=black"),
        SampleCategory(
            "lighting", share: 180, popularity: 20, reach: 700, facing: 5, basket: 6, .variant,
            "1 2 3",
            """
            LED=LED bulb E27|SPOT=LED spot GU10|TUBE=LED tube|DESKL=Desk lamp|FLOOR=Floor lamp|\
            PEND=Pendant|FAIRY=Fairy lights 10 m|LANT=Lantern
            """, "27=2700 K|30=3000 K|40=4000 K|RGB=colour", "4=4 W|6=6 W|8=8 W|11=11 W|15=15 W"),
        SampleCategory(
            "bedding", share: 220, popularity: 25, reach: 800, facing: 4, basket: 3, .variant,
            "1 2, 3",
            """
            DUV=Duvet, 90 % down|PIL=Pillow, 60 % feather|SHT=Fitted sheet|COV=Duvet cover|\
            THR=Throw|TOW=Bath towel|ROBE=Bathrobe, 100 % cotton|MAT=Mattress topper
            """, "WHT=white|GRY=grey|BLU=blue|OCH=ochre|ROS=rosé|GRN=green",
            "S=single|D=double|K=king|XL=extra long"),
        SampleCategory(
            "garden", share: 240, popularity: 14, reach: 600, facing: 4, basket: 4, .part, "2 1, 3",
            """
            GA=hose|GA=sprinkler|GB=secateurs|GB=hedge shears|GC=lawn mower|GC=strimmer|GD=planter|\
            GD=raised bed|GE=bird feeder|GE=parasol|GF=fire bowl|GF=garden bench
            """, "Greenock|Terra|Wren & Oak|Hortus|Älvdal", "small|medium|large|with 2 spare parts"),
        SampleCategory(
            "tools", share: 300, popularity: 22, reach: 700, facing: 5, basket: 5, .part, "2 1 3",
            """
            BX=drill bits|BX=wood screws|BH=hammer|BH=chisel|BD=cordless drill|BD=impact driver|\
            BS=hand saw|BS=jigsaw blades|BT=tape measure|BT=spirit level|BG=work gloves|BG=dust mask|\
            BL=ladder|BP=paint roller
            """, "Grip|Hartmann & Co.|Yardley|Solid-X|Brückner",
            "3 mm/50|5 mm/100|8 mm/20|standard|professional"),
    ]
}
