"""What trades sell: items with units and plausible prices, in the language of the document.

A row is ``name | unit | lowest price | highest price``; a document's items come from one trade, its seller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

_EN = {
    "office": """Copy paper A4, 500 sheets|pack|4|9;Ballpoint pen, blue|pcs|0.4|2.5;Ring binder, 5 cm|pcs|2|6;Desk lamp, LED|pcs|18|75
        Toner cartridge, black|pcs|45|140;Stapler, full strip|pcs|6|24;Office chair, mesh back|pcs|90|380;Sticky notes, yellow|pack|2|8
        Whiteboard marker set|set|5|15;Envelopes C5, window|box|12|35;Document shredder|pcs|60|290;USB-C hub, 7 ports|pcs|25|80""",
    "catering": """Filter coffee, 1 kg|bag|9|24;Orange juice, 1 l|btl|2|5;Sandwich platter, mixed|tray|24|65;Mineral water, still|crate|5|12
        Croissants, butter|dz|9|20;Tomato soup, portion|pcs|3|8;Cheese board, small|pcs|18|45;Green salad bowl|pcs|5|14
        Waiting staff, evening|hr|18|34;Table linen, hire|set|4|12;Chocolate cake, whole|pcs|16|42;Fruit basket, seasonal|pcs|12|38""",
    "software": """Hosting, business plan|mo|12|160;Support hours, level 2|hr|65|140;Licence, team edition|user|8|49;Data backup, 1 TB|mo|9|40
        Security audit, web shop|day|600|1400;Domain registration|yr|9|35;API access, 100k calls|mo|20|240;Training, administrators|day|450|1200
        Migration of mail accounts|pcs|6|25;Code review, fixed scope|day|500|1100;Monitoring, 24/7|mo|30|190;SSL certificate|yr|15|120""",
    "construction": """Portland cement, 25 kg|bag|5|12;Plasterboard 12.5 mm|sheet|6|16;Copper pipe 15 mm|m|4|11;Timber stud 38 x 89|m|2|6
        Paint, white matt, 10 l|can|22|70;Bricklayer, labour|hr|28|55;Gravel 0-32, delivered|t|18|45;Insulation board 100 mm|m2|9|26
        Roof tile, clay, red|pcs|1|3.5;Screws 4 x 40, box of 200|box|6|18;Skip hire, 6 yards|pcs|140|320;Floor tile, grey 60 x 60|m2|15|60""",
    "retail": """T-shirt, cotton, M|pcs|8|30;Jeans, slim fit|pcs|25|90;Umbrella, folding|pcs|9|28;Notebook, dotted|pcs|4|18
        Water bottle, steel|pcs|10|35;Scented candle|pcs|5|25;Batteries AA, 8 pcs|pack|4|13;Phone charger, 20 W|pcs|12|35
        Socks, 3 pairs|pack|5|15;Backpack, 20 l|pcs|25|110;Garden hose, 15 m|pcs|14|48;Light bulb, E27|pcs|2|9""",
    "medical": """Nitrile gloves, size M|box|6|16;Face masks, type IIR|box|3|12;Syringe 5 ml, sterile|pcs|0.2|0.9;Blood pressure monitor|pcs|30|120
        Bandage, elastic 8 cm|pcs|1|4;Hand disinfectant, 500 ml|btl|3|9;Examination couch roll|roll|4|11;Infusion stand|pcs|45|160
        Thermometer, infrared|pcs|20|70;Wound dressing 10 x 10|box|5|19;Pulse oximeter|pcs|18|85;Sharps container, 2 l|pcs|2|7""",
}  # fmt: skip

_DE = {
    "office": """Kopierpapier A4, 500 Blatt|Pack|4|9;Kugelschreiber, blau|Stk|0.4|2.5;Ordner, breit|Stk|2|6;Schreibtischlampe, LED|Stk|18|75
        Toner, schwarz|Stk|45|140;Heftgerät, groß|Stk|6|24;Bürostuhl, Netzrücken|Stk|90|380;Haftnotizen, gelb|Pack|2|8
        Whiteboard-Stifte|Satz|5|15;Briefumschläge C5|Karton|12|35;Aktenvernichter|Stk|60|290;USB-C-Hub, 7 Anschlüsse|Stk|25|80""",
    "catering": """Filterkaffee, 1 kg|Beutel|9|24;Orangensaft, 1 l|Fl|2|5;Häppchenplatte, gemischt|Platte|24|65;Mineralwasser, still|Kiste|5|12
        Brötchen, gemischt|Dtz|6|14;Tomatensuppe, Portion|Stk|3|8;Käseplatte, klein|Stk|18|45;Grüner Salat, Schüssel|Stk|5|14
        Servicekraft, abends|Std|18|34;Tischwäsche, Miete|Satz|4|12;Schokoladentorte|Stk|16|42;Obstkorb der Saison|Stk|12|38""",
    "software": """Hosting, Geschäftstarif|Mon|12|160;Support, zweite Stufe|Std|65|140;Lizenz, Teamversion|Nutzer|8|49;Datensicherung, 1 TB|Mon|9|40
        Sicherheitsprüfung, Webshop|Tag|600|1400;Domain, Registrierung|Jahr|9|35;API-Zugang, 100 Tsd. Aufrufe|Mon|20|240;Schulung, Administration|Tag|450|1200
        Umzug von Postfächern|Stk|6|25;Code-Durchsicht|Tag|500|1100;Überwachung, rund um die Uhr|Mon|30|190;SSL-Zertifikat|Jahr|15|120""",
    "construction": """Portlandzement, 25 kg|Sack|5|12;Gipskartonplatte 12,5 mm|Stk|6|16;Kupferrohr 15 mm|m|4|11;Kantholz 6 x 8|m|2|6
        Wandfarbe, weiß, 10 l|Eimer|22|70;Maurer, Arbeitszeit|Std|28|55;Schotter 0-32, geliefert|t|18|45;Dämmplatte 100 mm|m2|9|26
        Dachziegel, rot|Stk|1|3.5;Schrauben 4 x 40, 200 Stück|Pack|6|18;Container, 5 m3|Stk|140|320;Bodenfliese, grau 60 x 60|m2|15|60""",
    "retail": """T-Shirt, Baumwolle, M|Stk|8|30;Jeans, schmal|Stk|25|90;Taschenschirm|Stk|9|28;Notizbuch, gepunktet|Stk|4|18
        Trinkflasche, Edelstahl|Stk|10|35;Duftkerze|Stk|5|25;Batterien AA, 8 Stück|Pack|4|13;Ladegerät, 20 W|Stk|12|35
        Socken, 3 Paar|Pack|5|15;Rucksack, 20 l|Stk|25|110;Gartenschlauch, 15 m|Stk|14|48;Glühlampe, E27|Stk|2|9""",
    "medical": """Nitrilhandschuhe, Größe M|Box|6|16;Mundschutz, Typ IIR|Box|3|12;Spritze 5 ml, steril|Stk|0.2|0.9;Blutdruckmessgerät|Stk|30|120
        Binde, elastisch 8 cm|Stk|1|4;Händedesinfektion, 500 ml|Fl|3|9;Liegenpapier, Rolle|Rolle|4|11;Infusionsständer|Stk|45|160
        Thermometer, Infrarot|Stk|20|70;Wundauflage 10 x 10|Box|5|19;Pulsoximeter|Stk|18|85;Kanülenbehälter, 2 l|Stk|2|7""",
}  # fmt: skip

_FR = {
    "office": """Papier A4, 500 feuilles|ramette|4|9;Stylo à bille, bleu|pce|0.4|2.5;Classeur à levier|pce|2|6;Lampe de bureau, LED|pce|18|75
        Cartouche d'encre, noire|pce|45|140;Agrafeuse, grande|pce|6|24;Fauteuil de bureau|pce|90|380;Notes adhésives, jaunes|lot|2|8
        Feutres pour tableau|jeu|5|15;Enveloppes C5, fenêtre|boîte|12|35;Destructeur de papier|pce|60|290;Concentrateur USB-C|pce|25|80""",
    "catering": """Café moulu, 1 kg|sac|9|24;Jus d'orange, 1 l|btl|2|5;Plateau de canapés|plat|24|65;Eau minérale, plate|caisse|5|12
        Croissants au beurre|dz|9|20;Soupe à la tomate|pce|3|8;Plateau de fromages|pce|18|45;Salade verte, bol|pce|5|14
        Service en salle, soirée|h|18|34;Linge de table, location|jeu|4|12;Gâteau au chocolat|pce|16|42;Corbeille de fruits|pce|12|38""",
    "software": """Hébergement, offre pro|mois|12|160;Assistance, niveau 2|h|65|140;Licence, version équipe|util|8|49;Sauvegarde, 1 To|mois|9|40
        Audit de sécurité, site|jour|600|1400;Nom de domaine|an|9|35;Accès API, 100 000 appels|mois|20|240;Formation, administrateurs|jour|450|1200
        Migration de messagerie|pce|6|25;Revue de code|jour|500|1100;Surveillance, 24 h sur 24|mois|30|190;Certificat SSL|an|15|120""",
    "construction": """Ciment Portland, 25 kg|sac|5|12;Plaque de plâtre 12,5 mm|pce|6|16;Tube de cuivre 15 mm|m|4|11;Chevron 6 x 8|m|2|6
        Peinture blanche, 10 l|pot|22|70;Maçon, main-d'œuvre|h|28|55;Gravier 0-32, livré|t|18|45;Panneau isolant 100 mm|m2|9|26
        Tuile de terre cuite|pce|1|3.5;Vis 4 x 40, boîte de 200|boîte|6|18;Benne, 5 m3|pce|140|320;Carrelage gris 60 x 60|m2|15|60""",
    "retail": """T-shirt en coton, M|pce|8|30;Jean, coupe droite|pce|25|90;Parapluie pliant|pce|9|28;Carnet pointillé|pce|4|18
        Gourde en acier|pce|10|35;Bougie parfumée|pce|5|25;Piles AA, lot de 8|lot|4|13;Chargeur, 20 W|pce|12|35
        Chaussettes, 3 paires|lot|5|15;Sac à dos, 20 l|pce|25|110;Tuyau d'arrosage, 15 m|pce|14|48;Ampoule, E27|pce|2|9""",
    "medical": """Gants en nitrile, taille M|boîte|6|16;Masques, type IIR|boîte|3|12;Seringue 5 ml, stérile|pce|0.2|0.9;Tensiomètre|pce|30|120
        Bande élastique 8 cm|pce|1|4;Désinfectant, 500 ml|btl|3|9;Drap d'examen, rouleau|roul|4|11;Pied à perfusion|pce|45|160
        Thermomètre infrarouge|pce|20|70;Pansement 10 x 10|boîte|5|19;Oxymètre de pouls|pce|18|85;Collecteur d'aiguilles|pce|2|7""",
}  # fmt: skip

# Words that make an item's name long enough to wrap.
SUFFIXES = {
    "en": ("delivered to site as agreed by telephone", "including fitting and removal of the old part",
           "replacement for the discontinued model", "second delivery of the framework order"),
    "de": ("Lieferung frei Baustelle wie telefonisch besprochen", "einschließlich Einbau und Entsorgung des Altteils",
           "Ersatz für das nicht mehr lieferbare Modell", "zweite Lieferung aus dem Rahmenauftrag"),
    "fr": ("livraison sur site comme convenu par téléphone", "pose et reprise de l'ancien matériel comprises",
           "en remplacement du modèle qui n'est plus fabriqué", "deuxième livraison de la commande cadre"),
}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """Something a trade sells."""

    name: str
    unit: str
    lowest: Decimal
    highest: Decimal


def _items(rows: str) -> tuple[Item, ...]:
    parts = (row.strip().split("|") for line in rows.splitlines() for row in line.split(";"))
    return tuple(Item(name, unit, Decimal(lowest), Decimal(highest)) for name, unit, lowest, highest in parts)


_CATALOGUES = {language: {trade: _items(rows) for trade, rows in trades.items()}
               for language, trades in (("en", _EN), ("de", _DE), ("fr", _FR))}  # fmt: skip
TRADES = tuple(_EN)


def items_of(language: str, trade: str) -> tuple[Item, ...]:
    """Return what a trade sells, named in a language."""
    return _CATALOGUES[language][trade]
